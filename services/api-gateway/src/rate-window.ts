import type { RateLimit } from './routes/schema.ts';

/** What is said of a request by the limit of its client. */
export interface Verdict {
  readonly allowed: boolean;
  /** How many more would be allowed now. */
  readonly remaining: number;
  /** Until the oldest requests that count now do not count any more. */
  readonly waitMs: number;
}

/** Counts requests by key, and says of each whether it is within the limit. */
export interface RateWindows {
  readonly take: (key: string, limit: RateLimit) => Verdict | Promise<Verdict>;
}

/**
 * Requests are counted in slots of a tenth of the window, and a slot counts until all of it is older than the window.
 * So never more than the limit are allowed in any window, wherever it begins; and nobody is refused who had fewer in
 * the last 1.1 windows. What was refused does not count.
 */
export const slotsInWindow = 10;

export const slotMs = ({ seconds }: RateLimit) => (seconds * 1_000) / slotsInWindow;

/** The requests of one client: how many in which slot, oldest first. */
export type Counted = { readonly slot: number; count: number }[];

/** Counts one more request at `nowMs` in `counted` if the limit allows it. */
export function take(counted: Counted, limit: RateLimit, nowMs: number): Verdict {
  const length = slotMs(limit);
  const slot = Math.floor(nowMs / length);
  while (counted[0] !== undefined && counted[0].slot < slot - slotsInWindow) counted.shift();
  const used = counted.reduce((sum, { count }) => sum + count, 0);
  const allowed = used < limit.requests;
  if (allowed) {
    const newest = counted.at(-1);
    if (newest?.slot === slot) newest.count += 1;
    else counted.push({ slot, count: 1 });
  }
  const oldest = counted[0]?.slot ?? slot;
  return {
    allowed,
    remaining: limit.requests - used - (allowed ? 1 : 0),
    waitMs: (oldest + slotsInWindow + 1) * length - nowMs,
  };
}
