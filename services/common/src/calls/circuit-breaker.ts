import * as cockatiel from 'cockatiel';
import type { Attempted } from './outbound-call.ts';
import type { BreakerState } from './outbound-metrics.ts';
import { slidingWindow } from './sliding-window.ts';

export interface CircuitBreakerOptions {
  /** Opens when more than this share of the attempts within `windowMs` failed, and there were `minAttempts` at least. */
  readonly threshold: number;
  readonly minAttempts: number;
  readonly windowMs: number;
  /** After so long one attempt is let through; what comes of it closes the breaker or opens it for as long again. */
  readonly openMs: number;
  /** An attempt that got less time than this and was not answered says nothing, unless it was that one. */
  readonly fairMs: number;
}

export interface CircuitBreaker {
  readonly state: () => BreakerState;
  /** Makes the attempt and learns from it; undefined, without making it, while the breaker does not admit it. */
  readonly admit: <T>(attempt: () => Promise<Attempted<T>>) => Promise<Attempted<T> | undefined>;
}

const { Closed, HalfOpen } = cockatiel.CircuitState;
const nothingProven = new Error('an attempt that says nothing about the dependency');

/** Keeps callers from a dependency that fails, and the dependency from callers, until a single attempt succeeds. */
export function circuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const breaker = cockatiel.circuitBreaker(
    cockatiel.handleWhenResult((failed) => failed === true),
    { halfOpenAfter: pause(options.openMs), breaker: sampling(options) },
  );
  return {
    state: () => {
      if (breaker.state === Closed) return 'closed';
      return breaker.state === HalfOpen ? 'half_open' : 'open';
    },
    admit: async (attempt) => {
      // cockatiel would let all others wait for the one attempt; they are refused, as before it.
      if (breaker.state === HalfOpen) return undefined;
      let made: Awaited<ReturnType<typeof attempt>> | undefined;
      try {
        await breaker.execute(async () => {
          const decisive = breaker.state === HalfOpen;
          made = await attempt();
          const unanswered = made.verdict === 'late' || made.verdict === 'left';
          if (unanswered && !decisive && made.waitedMs < options.fairMs) throw nothingProven;
          return unanswered || made.verdict === 'failed';
        });
      } catch (error) {
        if (!(error instanceof cockatiel.BrokenCircuitError) && error !== nothingProven) throw error;
      }
      return made;
    },
  };
}

/** When to open. (cockatiel's own sampling remembers its last ten windows with calls, were they hours ago.) */
function sampling({ threshold, minAttempts, windowMs }: CircuitBreakerOptions): cockatiel.IBreaker {
  const window = slidingWindow<'success' | 'failure'>(windowMs);
  return {
    state: undefined, // nothing of it outlives the process
    success: (state) => {
      if (state === HalfOpen) window.clear();
      window.add('success');
    },
    failure: (state) => {
      window.add('failure');
      const failures = window.count('failure');
      const attempts = failures + window.count('success');
      return state !== Closed || (attempts >= minAttempts && failures > threshold * attempts);
    },
  };
}

/**
 * How long to stay open. cockatiel measures it with the clock on the wall, and a breaker must not stay open for an
 * hour since that clock was set back by one: so the pause is endless until it is over.
 */
function pause(ms: number): cockatiel.IBackoffFactory<unknown> {
  return {
    next: () => {
      const endsAt = performance.now() + ms;
      return {
        get duration() {
          return performance.now() < endsAt ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
        },
        next: () => pause(ms).next(undefined),
      };
    },
  };
}
