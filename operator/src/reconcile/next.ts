/** What the engine does with a Microservice after one pass over it. */
export type Next = Settled | After;

/** Nothing to do until something in the cluster changes. */
export interface Settled {
  readonly kind: 'settled';
}

/** Look again after `ms` milliseconds, because no change in the cluster would tell. */
export interface After {
  readonly kind: 'after';
  readonly ms: number;
  readonly because: string;
}

export const settled: Settled = { kind: 'settled' };

export function after(ms: number, because: string): After {
  return { kind: 'after', ms, because };
}
