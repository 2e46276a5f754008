import { slidingWindow } from './sliding-window.ts';

export interface RetryBudget {
  /** One more call was made. */
  readonly called: () => void;
  /** Takes one retry out of the budget; false when it is used up. */
  readonly take: () => boolean;
}

export interface RetryBudgetOptions {
  /** Retries for each call of the window. */
  readonly share: number;
  /** Retries that a window has at least, so that rare calls are repeated too. */
  readonly floor: number;
  readonly windowMs: number;
}

/** Keeps the extra load of retries small: whatever fails, at most `share` of the window's calls, or `floor`. */
export function retryBudget({ share, floor, windowMs }: RetryBudgetOptions): RetryBudget {
  const window = slidingWindow<'call' | 'retry'>(windowMs);
  return {
    called: () => window.add('call'),
    take: () => {
      if (window.count('retry') + 1 > Math.max(floor, share * window.count('call'))) return false;
      window.add('retry');
      return true;
    },
  };
}
