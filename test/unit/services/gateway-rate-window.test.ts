import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localWindows } from '../../../services/api-gateway/src/local-windows.ts';
import { type Counted, take, type Verdict } from '../../../services/api-gateway/src/rate-window.ts';

const limits = fc.record({ requests: fc.integer({ min: 1, max: 20 }), seconds: fc.integer({ min: 1, max: 60 }) });
/** Pauses between requests, from none to longer than a window, in milliseconds. */
const pauses = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 70_000 })), {
  minLength: 1,
  maxLength: 200,
});
const starts = fc.integer({ min: 0, max: 2 ** 40 });

interface Asked extends Verdict {
  readonly at: number;
}

/** What was said of requests with these pauses before them. */
function askedWith(limit: { requests: number; seconds: number }, start: number, between: readonly number[]) {
  const counted: Counted = [];
  let at = start;
  return between.map((pause): Asked => {
    at += pause;
    return { at, ...take(counted, limit, at) };
  });
}

describe('a rate limit', () => {
  it('never allows more than its requests in any window, wherever that begins', () => {
    fc.assert(
      fc.property(limits, starts, pauses, (limit, start, between) => {
        const allowed = askedWith(limit, start, between).filter((it) => it.allowed);
        for (const { at } of allowed) {
          const inWindow = allowed.filter((it) => it.at >= at && it.at < at + limit.seconds * 1_000);
          expect(inWindow.length).toBeLessThanOrEqual(limit.requests);
        }
      }),
    );
  });

  it('refuses nobody who had fewer in the last 1.1 windows, whatever was refused', () => {
    fc.assert(
      fc.property(limits, starts, pauses, (limit, start, between) => {
        const asked = askedWith(limit, start, between);
        for (const [index, { at }] of asked.entries()) {
          if (asked[index]?.allowed) continue;
          const counting = asked.slice(0, index).filter((it) => it.allowed && it.at > at - limit.seconds * 1_100);
          expect(counting.length).toBeGreaterThanOrEqual(limit.requests);
        }
      }),
    );
  });

  it('lets in who waits as long as it says, and tells how many more it would', () => {
    fc.assert(
      fc.property(limits, starts, pauses, (limit, start, between) => {
        const counted: Counted = [];
        let at = start;
        for (const pause of between) {
          at += pause;
          const { allowed, remaining, waitMs } = take(counted, limit, at);
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeGreaterThan(0);
          expect(waitMs).toBeLessThanOrEqual(limit.seconds * 1_100);
          if (!allowed) expect(take(structuredClone(counted), limit, at + waitMs).allowed).toBe(true);
          const rest = structuredClone(counted);
          for (let more = 0; more < remaining; more += 1) expect(take(rest, limit, at).allowed).toBe(true);
          expect(take(rest, limit, at).allowed).toBe(false);
        }
      }),
    );
  });

  it('remembers a bounded number of slots of a client', () => {
    fc.assert(
      fc.property(limits, pauses, (limit, between) => {
        const counted: Counted = [];
        let at = 0;
        for (const pause of between) {
          at += pause;
          take(counted, { ...limit, requests: 1_000_000 }, at);
          expect(counted.length).toBeLessThanOrEqual(11);
        }
      }),
    );
  });
});

describe('the windows of one gateway', () => {
  const limit = { requests: 1, seconds: 60 };

  it('hold each client to a limit of its own', () => {
    const windows = localWindows();
    const allowed = ['a', 'b', 'a', 'b'].map((key) => windows.take(key, limit).allowed);
    expect(allowed).toEqual([true, true, false, false]);
  });

  it('forget of too many clients those that have not asked for the longest time', () => {
    const windows = localWindows({ maxKeys: 3 });
    for (const key of ['a', 'b', 'c']) windows.take(key, limit);
    expect(windows.take('a', limit).allowed).toBe(false); // and is now the newest
    windows.take('d', limit);
    expect(windows.size()).toBe(3);
    expect(windows.take('a', limit).allowed).toBe(false);
    expect(windows.take('b', limit).allowed).toBe(true);
  });
});
