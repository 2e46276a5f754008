/** Durations, kept in bounded memory however many there are. */
export interface Quantiles {
  readonly add: (ms: number) => void;
  /** What the share `q` of all durations did not exceed, at most 1 % too high; undefined when there is none. */
  readonly at: (q: number) => number | undefined;
}

/** Each bucket ends 1 % above the one before. */
const growth = Math.log(1.01);
const smallestMs = 0.01;

export function quantiles(): Quantiles {
  const counts = new Map<number, number>();
  let total = 0;
  return {
    add: (ms) => {
      const bucket = Math.ceil(Math.log(Math.max(ms, smallestMs) / smallestMs) / growth);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
      total += 1;
    },
    at: (q) => {
      let left = Math.max(1, Math.ceil(q * total));
      for (const [bucket, count] of [...counts].sort(([a], [b]) => a - b)) {
        left -= count;
        if (left <= 0) return smallestMs * Math.exp(bucket * growth);
      }
      return undefined;
    },
  };
}
