import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../support/backoff.ts';
import type { Log } from '../support/log.ts';
import type { Backlog, Batch } from './backlog.ts';
import type { Loki, Refusal } from './loki.ts';

export interface SenderOptions {
  readonly backlog: Backlog;
  readonly loki: Pick<Loki, 'push'>;
  readonly log: Log;
  readonly onSent: (lines: number) => void;
  readonly onDropped: (lines: number, because: Refusal) => void;
  readonly onPush: (outcome: 'taken' | 'refused' | 'later') => void;
}

/** So many batches are on their way at once, each of a stream of its own. */
const lanes = 4;
/** After the first line others have so long to come along. */
const lingerMs = 500;
const betweenAttempts = { baseMs: 250, capMs: 10_000 };

/** Takes lines from the backlog to Loki, for ever, and tries again for as long as Loki cannot take them. */
export class Sender {
  readonly #options: SenderOptions;
  /** No more lines will come: what waits is sent at once. */
  readonly #draining = new AbortController();
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #lastComplaint = '';

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: lanes }, () => this.#lane()));
  }

  /** Sends what waits, for at most `withinMs`. Gives whether all of it was sent. */
  async stop(withinMs: number): Promise<boolean> {
    const timer = setTimeout(() => this.#stopping.abort(), withinMs);
    this.#draining.abort();
    await this.#running;
    clearTimeout(timer);
    return this.#options.backlog.bytes === 0;
  }

  async #lane(): Promise<void> {
    const { backlog } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const batch = backlog.take();
      if (batch !== undefined) {
        await this.#send(batch);
        continue;
      }
      if (this.#draining.signal.aborted) return;
      await backlog.lines(this.#draining.signal);
      await pause(lingerMs, this.#draining.signal);
    }
  }

  /** Does not come back before the batch is settled, or there is no more time. */
  async #send(batch: Batch): Promise<void> {
    const { backlog, loki, log, onSent, onDropped, onPush } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 1; !signal.aborted; failures += 1) {
      const verdict = await loki.push(batch, signal);
      if (signal.aborted) return;
      onPush(verdict.kind);
      if (verdict.kind !== 'later') {
        const refused = verdict.kind === 'refused' ? verdict.lines : 0;
        onSent(batch.entries.length - refused);
        if (verdict.kind === 'refused') {
          onDropped(verdict.lines, verdict.because);
          this.#complain(
            verdict.reason,
            { ...batch.stream, lines: verdict.lines },
            'loki refuses lines for good: dropped',
          );
        } else if (this.#lastComplaint !== '') {
          this.#lastComplaint = '';
          log.info('loki takes lines again');
        }
        backlog.settle(batch);
        return;
      }
      const ms = backoff(failures, betweenAttempts);
      this.#complain(verdict.reason, { retryInMs: Math.round(ms) }, 'loki does not take lines now, trying again');
      await pause(ms, signal);
    }
  }

  /** Warns once about the same trouble; repetitions are details. */
  #complain(reason: string, keys: object, message: string): void {
    // The figures in a reason change from one time to the next, the reason does not.
    const kind = message + reason.replaceAll(/\d+|\{.*?\}/g, '');
    const level = kind === this.#lastComplaint ? 'debug' : 'warn';
    this.#lastComplaint = kind;
    this.#options.log[level]({ ...keys, reason }, message);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined);
}
