import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { received, timeForCall, whileAnswering, withDeadline } from '../../../services/common/src/calls/deadline.ts';
import type { OutboundCall, Verdict } from '../../../services/common/src/calls/outbound-call.ts';
import { breakerStates } from '../../../services/common/src/calls/outbound-metrics.ts';
import { type CallPolicyOptions, callPolicy, resilience } from '../../../services/common/src/calls/resilience.ts';
import { retryBudget } from '../../../services/common/src/calls/retry-budget.ts';
import { UpstreamError } from '../../../services/common/src/calls/upstream-error.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { minAttempts, openMs, windowMs, fairMs } = resilience.breaker;
const outcomes = ['answered', 'failed_below', 'failed', 'late', 'left'] as const;

/** A dependency whose attempts end when the test says so, and the policy in front of it. */
function dependency(options: Omit<CallPolicyOptions, 'name' | 'registry' | 'protocol'> = {}) {
  const registry = new Registry();
  const policy = callPolicy({ name: 'leaf', protocol: 'http', registry, ...options });
  const waiting: ((outcome: Verdict) => void)[] = [];
  const seen = { attempts: 0, at: [] as number[] };

  const call = (repeatable = false): Promise<string> => {
    const caller = new AbortController();
    const outbound: OutboundCall<Verdict> = {
      repeatable,
      signal: caller.signal,
      attempt: () =>
        new Promise((resolve, reject) => {
          seen.attempts += 1;
          seen.at.push(Date.now());
          waiting.push((outcome) => {
            if (outcome === 'left') caller.abort();
            if (outcome === 'left' || outcome === 'late') reject(new UpstreamError('upstream_timeout', outcome));
            else resolve(outcome);
          });
        }),
      judge: (settled) => (settled.status === 'rejected' ? 'late' : (settled.value as 'answered')),
    };
    return policy.call(outbound).catch((error: UpstreamError) => error.code);
  };
  /** Ends the attempt that has waited longest, or the one at `index`. */
  const settle = async (outcome: Verdict, index = 0) => {
    waiting.splice(index, 1)[0]?.(outcome);
    await vi.advanceTimersByTimeAsync(0);
  };
  /** A call that ends so at once. */
  const ends = async (outcome: Verdict, afterMs = 0) => {
    const result = call();
    await vi.advanceTimersByTimeAsync(afterMs);
    await settle(outcome, waiting.length - 1);
    return await result;
  };
  const times = async (count: number, outcome: Verdict, afterMs = 0) => {
    for (let i = 0; i < count; i += 1) await ends(outcome, afterMs);
  };
  return { policy, registry, waiting, seen, call, settle, ends, times };
}

/** A dependency whose breaker has just opened. */
async function broken() {
  const leaf = dependency();
  await leaf.times(minAttempts, 'failed');
  expect(leaf.policy.breakerState()).toBe('open');
  return leaf;
}

describe('the circuit breaker', () => {
  it('opens when more than half of at least ten attempts failed, and then nobody is asked', async () => {
    const leaf = dependency();
    await leaf.times(5, 'answered');
    await leaf.times(5, 'failed');
    expect(leaf.policy.breakerState()).toBe('closed');
    await leaf.times(1, 'failed');
    expect(leaf.policy.breakerState()).toBe('open');
    expect(await leaf.call()).toBe('unavailable');
    expect(leaf.seen.attempts).toBe(11);
  });

  it('forgets failures after ten seconds', async () => {
    const leaf = dependency();
    await leaf.times(minAttempts - 1, 'failed');
    await vi.advanceTimersByTimeAsync(windowMs + 1_000);
    await leaf.times(minAttempts - 1, 'failed');
    expect(leaf.policy.breakerState()).toBe('closed');
  });

  it.each(['answered', 'failed_below'] as const)('never opens by a dependency that %s', async (outcome) => {
    const leaf = dependency();
    await leaf.times(100, outcome);
    expect(leaf.policy.breakerState()).toBe('closed');
  });

  it.each(['late', 'left'] as const)('takes for a failure who was %s only after a second', async (outcome) => {
    const leaf = dependency();
    await leaf.times(100, outcome, 10);
    expect(leaf.policy.breakerState()).toBe('closed');
    const [first, ...others] = Array.from({ length: minAttempts }, () => leaf.call());
    await vi.advanceTimersByTimeAsync(fairMs);
    for (const _ of [first, ...others]) await leaf.settle(outcome);
    expect(leaf.policy.breakerState()).toBe('open');
  });

  it('lets exactly one of a hundred calls through after two seconds, and refuses the others at once', async () => {
    const leaf = await broken();
    await vi.advanceTimersByTimeAsync(openMs - 1);
    expect(await leaf.call()).toBe('unavailable');
    await vi.advanceTimersByTimeAsync(1);
    const calls = Array.from({ length: 100 }, () => leaf.call());
    expect(leaf.policy.breakerState()).toBe('half_open');
    expect(await Promise.all(calls.slice(1))).toEqual(Array.from({ length: 99 }, () => 'unavailable'));
    expect(leaf.seen.attempts).toBe(minAttempts + 1);
    await leaf.settle('answered');
    expect([await calls[0], leaf.policy.breakerState()]).toEqual(['answered', 'closed']);
    await leaf.ends('failed'); // what was before is forgotten
    expect(leaf.policy.breakerState()).toBe('closed');
  });

  it.each(['failed', 'late', 'left'] as const)('opens again when that one %s, however soon', async (outcome) => {
    const leaf = await broken();
    await vi.advanceTimersByTimeAsync(openMs);
    await leaf.ends(outcome);
    expect(leaf.policy.breakerState()).toBe('open');
  });

  it('recovers although the clock of the machine is set back by an hour', async () => {
    const leaf = await broken();
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(openMs);
    expect(await leaf.ends('answered')).toBe('answered');
  });

  it('does not hang on that one: it ends with its deadline even if it heeds nothing', async () => {
    vi.useRealTimers();
    const leaf = callPolicy({ name: 'leaf', protocol: 'http', timeoutMs: 50 });
    const call = {
      repeatable: false,
      attempt: () => new Promise<never>(() => undefined),
      judge: () => 'late' as const,
    };
    await expect(leaf.call(call)).rejects.toMatchObject({ name: 'UpstreamError', code: 'upstream_timeout' });
  });

  it('recovers from whatever happened, and lets through no more than it says meanwhile', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('call' as const) }) },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(), as: fc.constantFrom(...outcomes) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), count: fc.integer({ min: 5, max: 15 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 4_000 }) }) },
    );
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.constantFrom(...outcomes), async (steps, last) => {
        const leaf = dependency();
        let openedAt = 0;
        const settled = async (index: number, as: Verdict) => {
          const before = leaf.policy.breakerState();
          await leaf.settle(as, index);
          if (before !== 'open' && leaf.policy.breakerState() === 'open') openedAt = Date.now();
        };
        const called = () => {
          const [before, attempts] = [leaf.policy.breakerState(), leaf.seen.attempts];
          void leaf.call();
          const admitted = before === 'closed' || (before === 'open' && Date.now() - openedAt >= openMs);
          expect(leaf.seen.attempts - attempts).toBe(admitted && leaf.waiting.length <= 64 ? 1 : 0);
          expect(leaf.policy.breakerState()).toBe(before === 'open' && admitted ? 'half_open' : before);
        };
        for (const it of steps) {
          if (it.do === 'call') called();
          if (it.do === 'wait') await vi.advanceTimersByTimeAsync(it.ms);
          if (it.do === 'settle' && leaf.waiting.length > 0) await settled(it.which % leaf.waiting.length, it.as);
          for (let i = 0; it.do === 'fail' && i < it.count; i += 1) {
            const pending = leaf.waiting.length;
            called();
            if (leaf.waiting.length > pending) await settled(pending, 'failed');
          }
          reached.add(leaf.policy.breakerState());
        }
        while (leaf.waiting.length > 0) await settled(0, last);
        // From here on the dependency is well.
        await vi.advanceTimersByTimeAsync(openMs);
        expect(await leaf.ends('answered')).toBe('answered');
        expect(leaf.policy.breakerState()).toBe('closed');
        for (let i = 0; i < 20; i += 1) expect(await leaf.ends('answered')).toBe('answered');
      }),
      { numRuns: 300 },
    );
    expect([...reached].toSorted()).toEqual(['closed', 'half_open', 'open']); // else the property had no power
  });
});

describe('a call', () => {
  it('is repeated once if that does no harm, after a pause of up to a tenth of a second', async () => {
    const pauses: number[] = [];
    for (let i = 0; i < 50; i += 1) {
      const leaf = dependency();
      const result = leaf.call(true);
      await leaf.settle('failed');
      await vi.advanceTimersByTimeAsync(100);
      await leaf.settle('failed');
      await vi.advanceTimersByTimeAsync(5_000);
      expect([await result, leaf.seen.attempts]).toEqual(['failed', 2]);
      pauses.push((leaf.seen.at[1] ?? 0) - (leaf.seen.at[0] ?? 0));
    }
    expect(Math.max(...pauses)).toBeLessThanOrEqual(100);
    expect(Math.min(...pauses)).toBeLessThan(40); // full jitter: from nothing on
    expect(Math.max(...pauses)).toBeGreaterThan(60);
  });

  it.each([
    ['would do harm', false, 'failed'],
    ['was answered', true, 'answered'],
    ['was repeated below already', true, 'failed_below'],
    ['nobody waits for', true, 'left'],
  ] as const)('that %s is not repeated', async (_what, repeatable, outcome) => {
    const leaf = dependency();
    const result = leaf.call(repeatable);
    await leaf.settle(outcome);
    await vi.advanceTimersByTimeAsync(1_000);
    await result;
    expect(leaf.seen.attempts).toBe(1);
  });

  it('is not repeated for a request that is a repetition, nor when too little time is left', async () => {
    for (const headers of [{ 'x-request-attempt': '2' }, { 'x-request-timeout-ms': '300' }]) {
      const leaf = dependency();
      const request = received(headers, 10_000);
      const result = whileAnswering(request, () => leaf.call(true));
      await leaf.settle('failed');
      await vi.advanceTimersByTimeAsync(1_000);
      expect([await result, leaf.seen.attempts, request.gaveUp]).toEqual(['failed', 1, true]);
    }
  });

  it('is refused at once when as many as allowed are under way, which is no failure of the dependency', async () => {
    const leaf = dependency({ maxConcurrent: 3 });
    for (let i = 0; i < 3; i += 1) void leaf.call();
    for (let i = 0; i < 100; i += 1) expect(await leaf.call(true)).toBe('unavailable');
    expect([leaf.seen.attempts, leaf.policy.breakerState()]).toEqual([3, 'closed']);
    await leaf.settle('answered');
    expect(await leaf.ends('answered')).toBe('answered');
  });

  it('is counted by its end, retries apart, and the state of the breaker is shown', async () => {
    const leaf = await broken();
    await leaf.call();
    const metrics = await leaf.registry.metrics();
    expect(metrics).toContain(`outbound_requests_total{dependency="leaf",outcome="failed"} ${minAttempts}\n`);
    expect(metrics).toContain('outbound_requests_total{dependency="leaf",outcome="breaker_open"} 1\n');
    expect(metrics).toContain(`circuit_breaker_state{dependency="leaf"} ${breakerStates.open}\n`);
    // Called by another protocol as well, it has two breakers; the worse one is shown.
    callPolicy({ name: 'leaf', protocol: 'grpc', registry: leaf.registry });
    expect(await leaf.registry.metrics()).toContain(`circuit_breaker_state{dependency="leaf"} ${breakerStates.open}\n`);
  });
});

describe('the retry budget', () => {
  it('gives no more than a fifth of the calls in any ten seconds, or three, and is refilled', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('calls' as const), count: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ do: fc.constant('wait' as const), count: fc.integer({ min: 1, max: 5_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const budget = retryBudget(resilience.budget);
        const calls: number[] = [];
        const taken: number[] = [];
        const within = (times: readonly number[], ms: number) =>
          times.filter((at) => at > performance.now() - ms).length;
        for (const it of steps) {
          if (it.do === 'wait') vi.advanceTimersByTime(it.count);
          for (let i = 0; it.do === 'calls' && i < it.count; i += 1) {
            budget.called();
            calls.push(performance.now());
          }
          for (let i = 0; it.do === 'take' && i < it.count; i += 1) {
            if (!budget.take()) continue;
            taken.push(performance.now());
            // Remembered in tenths of the window: at least nine of them.
            expect(within(taken, 9_000)).toBeLessThanOrEqual(Math.max(3, 0.2 * within(calls, 10_000)));
          }
        }
        vi.advanceTimersByTime(10_000);
        expect([1, 2, 3, 4].map(() => budget.take())).toEqual([true, true, true, false]);
      }),
    );
  });

  it('bounds what a dead dependency costs: 400 calls, 80 retries', async () => {
    const leaf = dependency({ maxConcurrent: 1_000 });
    const calls = Array.from({ length: 200 }, () => leaf.call(true));
    while (leaf.waiting.length > 0) await leaf.settle('failed_below');
    await Promise.all(calls);
    const again = Array.from({ length: 200 }, () => leaf.call(true));
    for (const _ of again) await leaf.settle('failed');
    await vi.advanceTimersByTimeAsync(100);
    while (leaf.waiting.length > 0) await leaf.settle('failed');
    await Promise.all(again);
    expect(leaf.seen.attempts - 400).toBeLessThanOrEqual(80);
  });
});

describe('a call that differs from others', () => {
  const failing = (more: Partial<OutboundCall<string>>) => {
    const at: number[] = [];
    const policy = callPolicy({ name: 'leaf', protocol: 'http' });
    const attempt: OutboundCall<string>['attempt'] = async ({ timeoutMs }) => {
      at.push(timeoutMs);
      throw new Error('no');
    };
    const made = policy.call({ repeatable: true, attempt, judge: () => 'failed', ...more }).catch(() => undefined);
    return { at, made };
  };

  it.each([
    [0, 1],
    [undefined, 2],
    [2, 3],
  ])('and may be made again %s times is made %s times', async (maxRetries, times) => {
    const { at, made } = failing({ maxRetries });
    await vi.advanceTimersByTimeAsync(2_000);
    await made;
    expect(at).toHaveLength(times);
  });

  it('has less time when it says so, and never more', () => {
    expect(failing({ timeoutMs: 300 }).at).toEqual([300]);
    expect(failing({ timeoutMs: 60_000 }).at).toEqual([resilience.timeoutMs]);
  });

  it('is kept from a dependency as early as its breaker says', async () => {
    const leaf = dependency({ breaker: { minAttempts: 2, openMs: 500 } });
    await leaf.times(2, 'failed');
    expect(leaf.policy.breakerState()).toBe('open');
    await vi.advanceTimersByTimeAsync(500);
    expect(await leaf.ends('answered')).toBe('answered');
  });
});

describe('the deadline of a request', () => {
  it.each([
    ['is our own when the caller has none', {}, 10_000],
    ["is the caller's when that is shorter", { 'x-request-timeout-ms': '800' }, 800],
    ['is never longer than our own', { 'x-request-timeout-ms': '60000' }, 10_000],
    ['is our own when what the caller says is no time', { 'x-request-timeout-ms': '-1' }, 10_000],
  ])('%s', (_what, headers, answerMs) => {
    expect(received(headers, 10_000).answerMs).toBe(answerMs);
  });

  it('leaves its calls what is left, less what it takes to tell of them', () => {
    whileAnswering(received({ 'x-request-timeout-ms': '3000' }, 10_000), () => {
      vi.advanceTimersByTime(1_000);
      expect([timeForCall(5_000), timeForCall(500)]).toEqual([1_750, 500]);
      expect(withDeadline(undefined, () => timeForCall(5_000))).toBe(5_000);
      expect(withDeadline(4_000, () => timeForCall(5_000))).toBe(3_750);
    });
    expect(timeForCall(5_000)).toBe(5_000);
  });

  it('that has passed lets no call out', async () => {
    const leaf = dependency();
    const request = received({ 'x-request-timeout-ms': '100' }, 10_000);
    expect(await whileAnswering(request, () => leaf.call())).toBe('upstream_timeout');
    expect(leaf.seen.attempts).toBe(0);
  });
});
