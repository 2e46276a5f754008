export interface AllowanceOptions {
  /** So many may be taken one after the other. */
  readonly burst: number;
  /** After that, one in so many milliseconds. */
  readonly everyMs: number;
  /** Told when one was refused, once until one is given again. */
  readonly onRefused: (key: string) => void;
}

interface Account {
  /** How many are left, fractions included, at the moment `at`. */
  readonly left: number;
  readonly at: number;
  readonly isRefused: boolean;
}

/** More keys than this are looked through for those that have their whole burst again. */
const manyKeys = 1_000;

/** How often something may be done for each key: a token bucket, which keeps two that undo each other's work from racing. */
export class Allowance {
  readonly #options: AllowanceOptions;
  readonly #accounts = new Map<string, Account>();

  constructor(options: AllowanceOptions) {
    this.#options = options;
  }

  /** 0, and one is taken; or the milliseconds until there is one. */
  take(key: string): number {
    const { everyMs, onRefused } = this.#options;
    const now = performance.now();
    const left = this.#left(key, now);
    if (left >= 1) {
      this.#accounts.set(key, { left: left - 1, at: now, isRefused: false });
      this.#forgetOthers(now);
      return 0;
    }
    if (!this.#accounts.get(key)?.isRefused) onRefused(key);
    this.#accounts.set(key, { left, at: now, isRefused: true });
    return Math.ceil((1 - left) * everyMs);
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  #left(key: string, now: number): number {
    const { burst, everyMs } = this.#options;
    const account = this.#accounts.get(key);
    return account === undefined ? burst : Math.min(burst, account.left + (now - account.at) / everyMs);
  }

  #forgetOthers(now: number): void {
    if (this.#accounts.size <= manyKeys) return;
    for (const key of this.#accounts.keys()) {
      if (this.#left(key, now) >= this.#options.burst) this.#accounts.delete(key);
    }
  }
}
