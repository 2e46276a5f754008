import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../services/common/src/calls/backoff.ts';
import { bell } from '../../../services/order-service/src/bell.ts';

const long = 60_000;
const never = new AbortController().signal;

describe('the pause before a new attempt', () => {
  it('doubles from a fifth of a second to ten seconds, its upper half by chance', () => {
    const bounds = [1, 2, 3, 6, 7, 50].map((failures) => [backoffMs(failures, () => 0), backoffMs(failures, () => 1)]);
    expect(bounds).toEqual([
      [100, 200],
      [200, 400],
      [400, 800],
      [3200, 6400],
      [5000, 10_000],
      [5000, 10_000],
    ]);
  });

  it('is never zero and never longer than ten seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (failures) => {
        expect(backoffMs(failures)).toBeGreaterThanOrEqual(100);
        expect(backoffMs(failures)).toBeLessThanOrEqual(10_000);
      }),
    );
  });
});

describe('the bell', () => {
  it('wakes who waits for it', async () => {
    const { ring, heard } = bell();
    const woken = heard(long, never);
    ring();
    await woken;
  });

  it('is heard at once when it was rung before, and only once', async () => {
    const { ring, heard } = bell();
    ring();
    ring();
    await heard(long, never);
    const start = performance.now();
    await heard(30, never);
    expect(performance.now() - start).toBeGreaterThan(25);
  });

  it('leaves nothing behind at the signal that outlives it', async () => {
    const end = new AbortController();
    const { ring, heard } = bell();
    for (let count = 0; count < 20; count++) {
      const woken = heard(long, end.signal);
      ring();
      await woken;
    }
    expect(getEventListeners(end.signal, 'abort')).toEqual([]);
  });

  it('lets go of who waits when the end comes', async () => {
    const end = new AbortController();
    const woken = bell().heard(long, end.signal);
    end.abort();
    await woken;
    await bell().heard(long, end.signal);
  });
});
