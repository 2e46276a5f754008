import type { WorkQueue } from './queue.ts';

/** What a pass over a key asks for: nothing until something changes, or another pass after some milliseconds. */
export type PassEnd =
  | { readonly kind: 'settled' }
  | { readonly kind: 'after'; readonly ms: number; readonly because: string };

export type PassResult = PassEnd['kind'] | 'failed';

export interface ControllerOptions {
  readonly queue: WorkQueue;
  /** How many keys are worked on at the same time. */
  readonly workers: number;
  readonly reconcile: (key: string) => Promise<PassEnd>;
  /** Milliseconds until a key is tried again that failed so many times in a row, this time by `error`. */
  readonly retryAfterMs: (error: unknown, failures: number) => number;
  readonly onPass?: (key: string, result: PassResult, tookMs: number) => void;
  readonly onFailure: (key: string, error: unknown, retryInMs: number) => void;
}

/** Takes keys from a queue and has them reconciled, several at a time; knows nothing of what a key stands for. */
export class Controller {
  readonly #options: ControllerOptions;
  #workers: Promise<void>[] = [];

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#workers = Array.from({ length: this.#options.workers }, () => this.#work());
  }

  /** Takes no further key and waits for those in hand. False when some were not finished after `withinMs`. */
  async stop(withinMs: number): Promise<boolean> {
    this.#options.queue.close();
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), withinMs);
    const finished = Promise.all(this.#workers).then(() => true);
    try {
      return await Promise.race([finished, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #work(): Promise<void> {
    const { queue } = this.#options;
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      await this.#pass(key);
      queue.done(key);
    }
  }

  async #pass(key: string): Promise<void> {
    const { queue, reconcile, retryAfterMs, onPass, onFailure } = this.#options;
    const start = performance.now();
    let result: PassResult;
    try {
      const end = await reconcile(key);
      result = end.kind;
      queue.forget(key);
      if (end.kind === 'after') queue.addAfter(key, end.ms);
    } catch (error) {
      result = 'failed';
      const ms = retryAfterMs(error, queue.failed(key));
      onFailure(key, error, ms);
      queue.addAfter(key, ms);
    }
    onPass?.(key, result, performance.now() - start);
  }
}
