import { type Counted, type RateWindows, take, type Verdict } from './rate-window.ts';
import type { RateLimit } from './routes/schema.ts';

export interface LocalWindows extends RateWindows {
  readonly take: (key: string, limit: RateLimit) => Verdict;
  /** How many clients it remembers. */
  readonly size: () => number;
}

/** Some hundred bytes each. */
const defaultMaxKeys = 10_000;

/** Counts in this process. Of too many clients at once, those that have not asked for the longest time are forgotten. */
export function localWindows({
  maxKeys = defaultMaxKeys,
  now = () => performance.now(),
}: {
  readonly maxKeys?: number;
  readonly now?: () => number;
} = {}): LocalWindows {
  const windows = new Map<string, Counted>();
  return {
    take: (key, limit) => {
      const counted = windows.get(key) ?? [];
      windows.delete(key); // and put at the end: those in front are the oldest
      windows.set(key, counted);
      if (windows.size > maxKeys) windows.delete(windows.keys().next().value as string);
      return take(counted, limit, now());
    },
    size: () => windows.size,
  };
}
