import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../services/api-gateway/src/answer.ts';
import { answerCache } from '../../../services/api-gateway/src/answer-cache.ts';
import { lifetime, strictest, wishes } from '../../../services/api-gateway/src/cache-words.ts';
import { isFailure, outcomeOf } from '../../../services/api-gateway/src/outcome.ts';
import { sharedCalls } from '../../../services/api-gateway/src/shared-calls.ts';
import { UpstreamError } from '../../../services/common/src/calls/upstream-error.ts';
import { Problem } from '../../../services/common/src/serving/problem.ts';

const rule = { seconds: 60, staleIfErrorSeconds: 300 };
const answer = (body: string) => ({ status: 200, headers: {}, body });
const entry = (body: string, at = 0) => ({
  answer: answer(body),
  lifetime: { fresh: 10, stale: 20 },
  at,
  route: 'route',
  target: '/x',
});

describe('an answer that is kept', () => {
  it('is fresh for its time, may stand in for a failure after that, and is gone then', () => {
    let now = 0;
    const cache = answerCache({ entries: 10, bytes: 10_000 }, () => now);
    cache.keep('key', entry('a'));
    const seen = [0, 9_999, 10_000, 29_999, 30_000].map((at) => {
      now = at;
      const found = cache.find('key');
      return found && [found.age, found.fresh];
    });
    expect(seen).toEqual([[0, true], [9, true], [10, false], [29, false], undefined]);
    expect(cache.size()).toEqual({ entries: 0, bytes: 0 });
  });

  it('that nobody asked for goes first when there is no room', () => {
    const cache = answerCache({ entries: 2, bytes: 10_000 }, () => 0);
    cache.keep('a', entry('a'));
    cache.keep('b', entry('b'));
    cache.find('a');
    cache.keep('c', entry('c'));
    expect(['a', 'b', 'c'].filter((key) => cache.find(key) !== undefined)).toEqual(['a', 'c']);
  });

  it('never takes more room than there is, whatever is kept and forgotten, and is what was kept last', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({ keep: key, length: fc.nat(3_000) }),
      fc.record({ find: key }),
      fc.record({ forget: key }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const room = { entries: 3, bytes: 5_000 };
        const cache = answerCache(room, () => 0);
        const last = new Map<string, string>();
        for (const [index, it] of steps.entries()) {
          if ('keep' in it) {
            const body = `${index}`.padEnd(it.length, '.');
            last.set(it.keep, body);
            cache.keep(it.keep, { ...entry(body), target: it.keep });
          } else if ('forget' in it) {
            cache.forget(({ target }) => target === it.forget);
            expect(cache.find(it.forget)).toBeUndefined();
          } else {
            const found = cache.find(it.find);
            if (found !== undefined) expect(found.answer.body).toBe(last.get(it.find));
          }
          const { entries, bytes } = cache.size();
          expect(entries).toBeLessThanOrEqual(room.entries);
          expect(bytes).toBeLessThanOrEqual(room.bytes);
          expect(bytes > 0).toBe(entries > 0);
        }
      }),
    );
  });
});

describe('the life of an answer', () => {
  it.each<readonly [cacheControl: string | undefined, fresh: number | undefined, stale: number]>([
    [undefined, 60, 300],
    ['public', 60, 300],
    ['max-age=5', 5, 300],
    ['max-age=500', 60, 300],
    ['max-age=500, s-maxage=7', 7, 0],
    ['Max-Age="5"', 5, 300],
    ['max-age=soon', 0, 300],
    ['max-age', 0, 300],
    ['max-age=5, must-revalidate', 5, 0],
    ['max-age=5, stale-if-error=9', 5, 9],
    ['no-store', undefined, 0],
    ['NO-CACHE', undefined, 0],
    ['max-age=5, private', undefined, 0],
    ['private="set-cookie"', undefined, 0],
  ])('of which the backend says %s', (cacheControl, fresh, stale) => {
    expect(lifetime(cacheControl, rule)).toEqual(fresh === undefined ? undefined : { fresh, stale });
  });

  it('is never longer than the route says, whatever the backend says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.nat(100), (cacheControl, seconds) => {
        const { fresh = 0, stale = 0 } = lifetime(cacheControl, { ...rule, seconds }) ?? {};
        expect(fresh).toBeLessThanOrEqual(seconds);
        expect(stale).toBeLessThanOrEqual(300);
        expect(Math.min(fresh, stale)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('that is made of several is no longer than that of each, when each says how long, and what one forbids is forbidden', () => {
    const words = fc.constantFrom('public', 'max-age=5', 'max-age=50', 's-maxage=9', 'must-revalidate', 'no-store');
    const saysHowLong = (it: readonly string[] = []) => it.some((word) => word.includes('age='));
    const given = fc.option(fc.array(words, { minLength: 1, maxLength: 3 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 4 }), (all) => {
        const each = all.map((it) => it?.join(', '));
        const whole = lifetime(strictest(each), rule);
        for (const it of each.map((one) => lifetime(one, rule))) {
          if (it === undefined) expect(whole).toBeUndefined();
          if (it?.stale === 0) expect(whole?.stale ?? 0).toBe(0);
          if (it !== undefined && all.every(saysHowLong)) expect(whole?.fresh ?? 0).toBeLessThanOrEqual(it.fresh);
        }
      }),
    );
  });
});

describe('a request', () => {
  it.each([
    [undefined, true, Number.POSITIVE_INFINITY],
    ['no-store', false, Number.POSITIVE_INFINITY],
    ['no-cache', true, 0],
    ['max-age=7', true, 7],
    ['max-age=0', true, 0],
  ])('that says %s', (cacheControl, store, maxAge) => {
    expect(wishes(cacheControl)).toEqual({ store, maxAge });
  });
});

describe('calls for the same at the same time', () => {
  const never = new AbortController().signal;

  it('are one, and the next is another', async () => {
    const once = sharedCalls<number>();
    let calls = 0;
    const begin = async () => {
      await turn();
      calls += 1;
      return calls;
    };
    const ask = (key: string) => once(key, never, begin);
    expect(await Promise.all([ask('a'), ask('a'), ask('b')])).toEqual([
      { value: 1, joined: false },
      { value: 1, joined: true },
      { value: 2, joined: false },
    ]);
    expect(await ask('a')).toEqual({ value: 3, joined: false });
  });

  it('go on for the others when one leaves, and end with the last', async () => {
    const once = sharedCalls<string>();
    const callers = [new AbortController(), new AbortController()];
    let given: AbortSignal | undefined;
    const asked = callers.map(({ signal }) =>
      once('key', signal, (own) => {
        given = own;
        return new Promise(() => undefined);
      }),
    );
    callers[0]?.abort(new Error('left'));
    await expect(asked[0]).rejects.toThrow('left');
    expect(given?.aborted).toBe(false);
    callers[1]?.abort(new Error('left too'));
    await expect(asked[1]).rejects.toThrow('left too');
    expect(given?.aborted).toBe(true);
    expect(await once('key', never, async () => 'anew')).toEqual({ value: 'anew', joined: false });
  });

  it('fail together', async () => {
    const once = sharedCalls<string>();
    const ask = () => once('key', never, () => Promise.reject(new Error('no')));
    expect((await Promise.allSettled([ask(), ask()])).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('what came of asking', () => {
  it.each<readonly [what: string, failure: boolean, ask: () => Answer]>([
    ['a good answer', false, () => answer('')],
    ['a refusal', false, () => ({ ...answer(''), status: 404 })],
    ['a backend’s account of its failure', true, () => ({ ...answer(''), status: 503 })],
    ['no answer', true, thrown(new UpstreamError('upstream_timeout', 'late'))],
    ['an error that a backend names', true, thrown(new Problem('unavailable', 'not now'))],
    ['a refusal that a backend names', false, thrown(new Problem('not_found', 'no'))],
    ['a defect of our own', false, thrown(new TypeError('undefined is not a function'))],
  ])('as %s is a failure of somebody else: %s', async (_what, failure, ask) => {
    expect(isFailure(await outcomeOf(ask))).toBe(failure);
  });
});

function thrown(error: Error): () => never {
  return () => {
    throw error;
  };
}
