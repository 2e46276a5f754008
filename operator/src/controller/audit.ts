export interface AuditOptions {
  /** Every key that there is, now. */
  readonly keys: () => Iterable<string>;
  readonly lookAt: (key: string) => void;
  /** Once in this time each key comes up. */
  readonly periodMs: number;
}

/** Between two steps: few keys at a time, so that nothing else waits for them. */
const stepMs = 1_000;

/**
 * Has every key looked at again once in a period, evenly spread, whether or not anything was heard of it: what nobody
 * was told of does not stay as it is for ever.
 */
export class Audit {
  readonly #options: AuditOptions;
  #round: string[] = [];
  #stepsLeft = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#step(), stepMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #step(): void {
    const { keys, lookAt, periodMs } = this.#options;
    if (this.#stepsLeft === 0) {
      this.#round = [...keys()];
      this.#stepsLeft = Math.max(1, Math.round(periodMs / stepMs));
    }
    const share = Math.ceil(this.#round.length / this.#stepsLeft);
    this.#stepsLeft -= 1;
    for (const key of this.#round.splice(0, share)) lookAt(key);
  }
}
