/** Where passes over Microservices are recorded as traces. */
export interface Tracing {
  /** Runs a pass as a trace of its own. What it gives, or throws, is given or thrown on. */
  pass<T>(namespace: string, name: string, work: () => Promise<T>): Promise<T>;
  /** Records a request that has just been answered, as part of the pass that made it; one that no pass made is left out. */
  request(verb: string, kind: string, code: string, tookMs: number): void;
  /** Sends what is left, for at most `withinMs`. */
  close(withinMs: number): Promise<void>;
}

/** Nowhere: costs nothing. */
export const noTracing: Tracing = {
  pass: (_namespace, _name, work) => work(),
  request: () => undefined,
  close: () => Promise.resolve(),
};
