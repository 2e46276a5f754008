export interface Listeners<T> {
  /** Gives the function that ends it; the same listener twice is told twice. */
  readonly add: (listener: (said: T) => void) => () => void;
  readonly tell: (said: T) => void;
}

/** Who wants to hear of something, each until it has enough. */
export function listeners<T>(): Listeners<T> {
  const all = new Set<{ readonly listener: (said: T) => void }>();
  return {
    add: (listener) => {
      const entry = { listener };
      all.add(entry);
      return () => void all.delete(entry);
    },
    tell: (said) => {
      for (const { listener } of all) listener(said);
    },
  };
}
