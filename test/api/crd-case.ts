export type Spec = Readonly<Record<string, unknown>>;

/** What is written, what the answer has to say about the remedy, and a neighbour that is taken. */
export type Case = readonly [what: string, refused: Spec, remedy: RegExp, taken: Spec];
