import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoff } from '../../../operator/src/support/backoff.ts';

const bounds = { baseMs: 5, capMs: 300_000 };

describe('a backoff', () => {
  test('doubles with every failure up to its cap', () => {
    const without = (failures: number) => backoff(failures, bounds, () => 0);

    expect([1, 2, 3, 10, 16, 17, 18].map(without)).toEqual([5, 10, 20, 2_560, 163_840, 300_000, 300_000]);
  });

  test('takes off at most half, at random, and stays finite for any number of failures', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, random) => {
        const full = backoff(n, bounds, () => 0);
        const ms = backoff(n, bounds, () => random);
        expect(ms).toBeGreaterThanOrEqual(full / 2);
        expect(ms).toBeLessThanOrEqual(full);
        expect(full).toBeLessThanOrEqual(bounds.capMs);
      }),
    );
  });
});
