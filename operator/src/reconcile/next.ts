import type { Outcome } from './apply.ts';

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

/** The soonest of several, when any of them asks for another look. */
export function soonest(candidates: readonly Next[]): Next {
  return candidates
    .filter((next) => next.kind === 'after')
    .reduce<Next>((first, next) => (first.kind === 'after' && first.ms <= next.ms ? first : next), settled);
}

/** What an outcome calls for: changes that no watch shows are looked for. */
export function nextAfter(outcome: Outcome): Next {
  switch (outcome.kind) {
    case 'created':
    case 'configured':
    case 'handed-over':
    case 'removed':
      return settled; // the watch shows what becomes of it
    case 'waiting':
      return after(2_000, 'a child on its way out may not carry our labels');
    case 'refused':
      return after(30_000, 'the object in the way may not carry our labels');
    case 'failed':
      return after(60_000, 'rights, quotas and admission rules change without a sign');
  }
}
