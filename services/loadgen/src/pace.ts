/** Milliseconds that only go forward, and waiting for them to pass. */
export interface Clock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Pace {
  /** A second. */
  readonly rate: number;
  readonly count: number;
  /** Aborted: nothing more is started. */
  readonly signal: AbortSignal;
}

/**
 * Starts `count` things at a constant rate, each when it is due and never before, whatever became of those before it.
 * Whoever is late catches up at once; each is told when it was due, so that its lateness can be counted.
 */
export async function keepPace(pace: Pace, clock: Clock, start: (dueAt: number) => void): Promise<void> {
  const begun = clock.now();
  for (let number = 0; number < pace.count; number += 1) {
    const dueAt = begun + (number * 1000) / pace.rate;
    for (let early = dueAt - clock.now(); early > 0 && !pace.signal.aborted; early = dueAt - clock.now()) {
      await clock.sleep(early);
    }
    if (pace.signal.aborted) return;
    start(dueAt);
  }
}
