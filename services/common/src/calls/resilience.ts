import {
  BulkheadRejectedError,
  bulkhead,
  ExponentialBackoff,
  fullJitterGenerator,
  handleWhenResult,
  retry,
} from 'cockatiel';
import type { Registry } from 'prom-client';
import { type CircuitBreakerOptions, circuitBreaker } from './circuit-breaker.ts';
import { currentRequest, timeForCall } from './deadline.ts';
import { type Attempted, attempted, type OutboundCall } from './outbound-call.ts';
import { type BreakerState, outboundMetrics, type Protocol } from './outbound-metrics.ts';
import { retryBudget } from './retry-budget.ts';
import { UpstreamError } from './upstream-error.ts';

/** What holds for every call to another service: the one place where it is set. */
export const resilience = {
  /** For the whole call: its attempts and the pause between them. */
  timeoutMs: 5_000,
  /** At most so many calls to one dependency at once; more are refused, not queued. */
  maxConcurrent: 64,
  /** Of calls that may be made twice; one may ask for up to `mostAttempts`. Full jitter: the pause is anything from nothing to the delay. */
  retry: { maxAttempts: 1, mostAttempts: 2, initialDelay: 100, maxDelay: 1_000, worthwhileMs: 250 },
  /** Retries in any ten seconds: one for five calls, or three. */
  budget: { share: 0.2, floor: 3, windowMs: 10_000 },
  breaker: { threshold: 0.5, minAttempts: 10, windowMs: 10_000, openMs: 2_000, fairMs: 1_000 },
} as const;

export interface CallPolicyOptions {
  /** The dependency, as metrics and messages name it. */
  readonly name: string;
  /** By which it is called; each has a breaker of its own. */
  readonly protocol: Protocol;
  readonly registry?: Registry | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxConcurrent?: number | undefined;
  /** What this dependency's breaker has differently. */
  readonly breaker?: BreakerOptions | undefined;
}

/** When the breaker of a dependency opens, and for how long: see {@link CircuitBreakerOptions}. */
export type BreakerOptions = Partial<Pick<CircuitBreakerOptions, 'threshold' | 'minAttempts' | 'openMs'>>;

export interface CallPolicy {
  /**
   * What the last attempt gave.
   *
   * @throws what it threw; UpstreamError `unavailable` when the dependency was not asked, since its breaker is open or
   *   too many calls are under way; UpstreamError `upstream_timeout` when no time was left to ask
   */
  readonly call: <T>(call: OutboundCall<T>) => Promise<T>;
  readonly breakerState: () => BreakerState;
}

type Ended<T> = Attempted<T> | Refused;

interface Refused {
  readonly verdict: 'breaker_open' | 'bulkhead_full' | 'no_time';
  readonly settled: PromiseRejectedResult;
}

/**
 * All that stands between this service and one dependency: bulkhead, deadline, retries within a budget, breaker.
 *
 * Layers do not multiply their retries: a call is not repeated when the answer says that this was done below, nor on
 * behalf of a request that is itself a repetition. A dead leaf is asked twice for a request at the outermost service,
 * however many services lie between; if those die meanwhile, once more for each of them at most.
 */
export function callPolicy(options: CallPolicyOptions): CallPolicy {
  const { name, timeoutMs = resilience.timeoutMs, maxConcurrent = resilience.maxConcurrent } = options;
  const { maxAttempts, mostAttempts, worthwhileMs } = resilience.retry;
  const metrics = outboundMetrics(options.registry);
  const rooms = bulkhead(maxConcurrent);
  const budget = retryBudget(resilience.budget);
  const breaker = circuitBreaker({ ...resilience.breaker, ...options.breaker });
  const backoff = new ExponentialBackoff({ generator: fullJitterGenerator, ...resilience.retry });
  const repeating = retry(
    handleWhenResult((it) => (it as { readonly again: boolean }).again),
    { maxAttempts: mostAttempts, backoff },
  );
  repeating.onRetry(() => metrics.retries.inc({ dependency: name }));
  metrics.watch(name, options.protocol, breaker.state);

  async function asked<T>(call: OutboundCall<T>): Promise<Ended<T>> {
    const { maxRetries = maxAttempts } = call;
    const allowedMs = Math.floor(timeForCall(Math.min(timeoutMs, call.timeoutMs ?? timeoutMs)));
    if (allowedMs <= 0) return refused('no_time', `${name}: no time was left to ask`);
    const endsAt = performance.now() + allowedMs;
    const deadline = AbortSignal.timeout(allowedMs);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
    const mayRepeat = call.repeatable && currentRequest()?.repeated !== true;
    budget.called();
    const { ended } = await repeating.execute(async ({ attempt }) => {
      const limits = { signal, timeoutMs: attempt === 0 ? allowedMs : endsAt - performance.now(), attempt };
      const made = await breaker.admit(() => attempted(call, limits));
      const fruitless = made?.verdict === 'failed' || made?.verdict === 'late';
      const again =
        fruitless && mayRepeat && attempt < maxRetries && endsAt - performance.now() >= worthwhileMs && budget.take();
      return { ended: made ?? refused('breaker_open', `${name} is not asked: it failed too often just now`), again };
    });
    return ended;
  }

  return {
    breakerState: breaker.state,
    call: async (call) => {
      const started = performance.now();
      const { verdict, settled } = await rooms
        .execute(() => asked(call))
        .catch((error: unknown) => {
          if (!(error instanceof BulkheadRejectedError)) throw error;
          return refused('bulkhead_full', `${name}: ${maxConcurrent} requests are under way already`);
        });
      const seconds = (performance.now() - started) / 1000;
      metrics.observe({ dependency: name, outcome: verdict, seconds });
      const request = currentRequest();
      if (request !== undefined && verdict !== 'answered') request.gaveUp = true;
      if (settled.status === 'rejected') throw settled.reason;
      return settled.value;
    },
  };
}

function refused(verdict: Refused['verdict'], message: string): Refused {
  const code = verdict === 'no_time' ? 'upstream_timeout' : 'unavailable';
  return { verdict, settled: { status: 'rejected', reason: new UpstreamError(code, message) } };
}
