import type { Budgets, BudgetsLeft } from '../api/objectives.ts';

export interface BudgetsOptions {
  /** What is left of every error budget, by `namespace/name`; ends soon, with an answer or a failure. */
  readonly ask: () => Promise<ReadonlyMap<string, BudgetsLeft>>;
  /** The Microservices that state objectives, by `namespace/name`. While there are none, nobody is asked. */
  readonly withObjectives: () => readonly string[];
  /** Whether this operator is the one that works; the others ask nobody. */
  readonly leads: () => boolean;
  /** Told of each Microservice of which something else is known than before. */
  readonly onChange: (id: string) => void;
  readonly onAnswer?: () => void;
  /** Told of each failure, and how many there were in a row. */
  readonly onFailure?: (reason: string, inARow: number) => void;
  /** Between an answer and the next question. */
  readonly periodMs: number;
}

/** What is known of all of them. */
type Memory =
  | Exclude<Budgets, { readonly kind: 'known' }>
  | { readonly kind: 'answered'; readonly left: ReadonlyMap<string, BudgetsLeft> };

/** What was known counts for so many periods without an answer. */
const periodsUntilStale = 3;

/**
 * Memory of error budgets, filled by one question a minute for all Microservices together. Passes over Microservices read it
 * and never wait for it; so a status changes no more often than it does.
 */
export class BudgetMemory {
  readonly #options: BudgetsOptions;
  #memory: Memory = { kind: 'unasked' };
  /** The last answer, or the moment since when there could have been one. */
  #since = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #asking = false;
  #stopped = false;

  constructor(options: BudgetsOptions) {
    this.#options = options;
  }

  /** What is known of that Microservice. */
  of(id: string): Budgets {
    if (this.#memory.kind !== 'answered') return this.#memory;
    return { kind: 'known', left: this.#memory.left.get(id) ?? {} };
  }

  /** Forgets what was known, and asks from now on: at once, and then once in a period. */
  begin(): void {
    this.#forget();
    this.#soon(0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #soon(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#turn(), ms);
  }

  async #turn(): Promise<void> {
    const { leads, withObjectives, periodMs } = this.#options;
    if (this.#asking) return; // It plans the next turn when it ends.
    this.#asking = true;
    try {
      // Where nobody wants to know, nobody is asked, and nothing gets old.
      if (leads() && withObjectives().length > 0) await this.#askNow();
      else this.#forget();
    } finally {
      this.#asking = false;
      this.#soon(periodMs);
    }
  }

  #forget(): void {
    this.#memory = { kind: 'unasked' };
    this.#since = performance.now();
  }

  async #askNow(): Promise<void> {
    const { ask, onAnswer, onFailure, periodMs } = this.#options;
    try {
      const left = await ask();
      this.#since = performance.now();
      this.#failures = 0;
      this.#become({ kind: 'answered', left });
      onAnswer?.();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const stale = performance.now() - this.#since >= periodsUntilStale * periodMs;
      if (stale) this.#become({ kind: 'unknown', because: `not known: ${reason}` });
      this.#failures += 1;
      onFailure?.(reason, this.#failures);
    }
  }

  #become(memory: Memory): void {
    const ids = this.#options.withObjectives();
    const before = new Map(ids.map((id) => [id, JSON.stringify(this.of(id))]));
    this.#memory = memory;
    for (const id of ids) if (JSON.stringify(this.of(id)) !== before.get(id)) this.#options.onChange(id);
  }
}
