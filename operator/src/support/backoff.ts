export interface BackoffBounds {
  /** Milliseconds after the first failure. */
  readonly baseMs: number;
  /** Milliseconds that are never exceeded. */
  readonly capMs: number;
}

/**
 * Milliseconds to wait after so many failures in a row (1 is the first): doubles from `baseMs` up to `capMs`.
 * A random part, at most half, is taken off, so that those who failed together do not return together.
 */
export function backoff(failures: number, { baseMs, capMs }: BackoffBounds, random = Math.random): number {
  const full = Math.min(capMs, baseMs * 2 ** (failures - 1));
  return full * (1 - random() / 2);
}
