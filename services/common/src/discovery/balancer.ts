/** What the choice between instances knows of one of them. */
export interface Turn {
  /** Requests that it has been given and has not ended. */
  readonly underWay: number;
  /** When it was last chosen, counted in choices; 0 for one that never was. */
  readonly lastTurn: number;
}

export const balancings = ['least-requests', 'round-robin'] as const;

/**
 * `round-robin`: whoever has waited longest for a turn. Between two turns of one instance every other that is there
 * all the time has exactly one, however many come and go meanwhile.
 * `least-requests`: whoever has the fewest requests under way, so that a slow one is asked less; among equals, whoever
 * has waited longest.
 */
export type Balancing = (typeof balancings)[number];

/** Whose turn it is among those given, which are all that is remembered; undefined when there are none. */
export function choose<T extends Turn>(among: readonly T[], balancing: Balancing): T | undefined {
  const before = precedes[balancing];
  return among.reduce<T | undefined>((best, it) => (best === undefined || before(it, best) ? it : best), undefined);
}

const waitedLonger = (a: Turn, b: Turn) => a.lastTurn < b.lastTurn;

const precedes: Readonly<Record<Balancing, (a: Turn, b: Turn) => boolean>> = {
  'round-robin': waitedLonger,
  'least-requests': (a, b) => a.underWay < b.underWay || (a.underWay === b.underWay && waitedLonger(a, b)),
};
