export interface SlidingWindow<K extends string> {
  readonly add: (kind: K) => void;
  /** How often it happened within the window. */
  readonly count: (kind: K) => number;
  readonly clear: () => void;
}

const slots = 10;

/** Counts what happened within the last `windowMs`, whatever the clock on the wall does. Forgets in tenths of it. */
export function slidingWindow<K extends string>(windowMs: number): SlidingWindow<K> {
  const past: { readonly slot: number; readonly kind: K; count: number }[] = [];
  const now = () => Math.floor((performance.now() * slots) / windowMs);
  return {
    add: (kind) => {
      const slot = now();
      while (past[0] !== undefined && past[0].slot <= slot - slots) past.shift();
      const current = past.findLast((it) => it.kind === kind);
      if (current?.slot === slot) current.count += 1;
      else past.push({ slot, kind, count: 1 });
    },
    count: (kind) => {
      const oldest = now() - slots + 1;
      return past.reduce((sum, it) => (it.kind === kind && it.slot >= oldest ? sum + it.count : sum), 0);
    },
    clear: () => void past.splice(0),
  };
}
