import { UpstreamError } from './upstream-error.ts';

/**
 * What came of an attempt. `answered`: the other side did its work, errors of the caller (4xx) included.
 * `failed_below`: it answered that something behind it failed, which was repeated there. `failed`: no answer, or one
 * that says it could not do its work. `late`: the time was over. `left`: nobody waited for the answer any more.
 */
export type Verdict = 'answered' | 'failed_below' | 'failed' | 'late' | 'left';

/** One call to another service, however it is made. */
export interface OutboundCall<T> {
  /** May be made twice: it changes nothing, or the other side knows the second time for what it is. */
  readonly repeatable: boolean;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
  /** Less time for this call than the dependency has for any. */
  readonly timeoutMs?: number | undefined;
  /** How often it may be made again, where that is not as often as any. */
  readonly maxRetries?: number | undefined;
  /** Asks once. */
  readonly attempt: (limits: Limits) => Promise<T>;
  /** What an attempt that ended by itself came to. */
  readonly judge: (settled: PromiseSettledResult<T>) => Exclude<Verdict, 'left'>;
}

export interface Limits {
  /** Aborted when the time is over, or nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** What is left of the deadline. */
  readonly timeoutMs: number;
  /** 0 for the first. */
  readonly attempt: number;
}

export interface Attempted<T> {
  readonly verdict: Verdict;
  readonly settled: PromiseSettledResult<T>;
  /** How long the other side had. */
  readonly waitedMs: number;
}

/** Makes one attempt. It ends with `limits.signal`, even if the attempt does not heed it: no call can last for ever. */
export async function attempted<T>(call: OutboundCall<T>, limits: Limits): Promise<Attempted<T>> {
  const started = performance.now();
  const [settled] = await Promise.allSettled([unlessAborted(limits.signal, () => call.attempt(limits))]);
  const waitedMs = performance.now() - started;
  if (settled.status === 'rejected' && limits.signal.aborted) {
    return { verdict: call.signal?.aborted ? 'left' : 'late', settled, waitedMs };
  }
  return { verdict: call.judge(settled), settled, waitedMs };
}

function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Later than now: work that heeds the signal itself can say better what was interrupted.
    const late = () => reject(new UpstreamError('upstream_timeout', 'no answer in time', { cause: signal.reason }));
    const abort = () => void setImmediate(late);
    signal.addEventListener('abort', abort, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
