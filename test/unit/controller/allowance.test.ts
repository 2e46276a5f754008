import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Allowance } from '../../../operator/src/controller/allowance.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const onRefused = vi.fn<(key: string) => void>();
beforeEach(() => void onRefused.mockClear());
const allowance = () => new Allowance({ burst: 3, everyMs: 10_000, onRefused });
const takeAll = (it: Allowance, key: string) => Array.from({ length: 4 }, () => it.take(key));

describe('an allowance', () => {
  test('gives a burst, then one at a time, and says how long to wait for it', () => {
    const it = allowance();
    expect(takeAll(it, 'a')).toEqual([0, 0, 0, 10_000]);
    vi.advanceTimersByTime(4_000);
    expect(it.take('a')).toBe(6_000);
    vi.advanceTimersByTime(6_000);
    expect([it.take('a'), it.take('a')]).toEqual([0, 10_000]);
  });

  test('gives the whole burst again after a rest, and never more', () => {
    const it = allowance();
    takeAll(it, 'a');
    vi.advanceTimersByTime(3_600_000);
    expect(takeAll(it, 'a').filter((ms) => ms === 0)).toHaveLength(3);
  });

  test('counts each key for itself', () => {
    const it = allowance();
    takeAll(it, 'a');
    expect(it.take('b')).toBe(0);
  });

  test('tells of a refusal once, and again after one was given', () => {
    const it = allowance();
    takeAll(it, 'a');
    takeAll(it, 'a');
    expect(onRefused.mock.calls).toEqual([['a']]);
    vi.advanceTimersByTime(10_000);
    takeAll(it, 'a');
    expect(onRefused).toHaveBeenCalledTimes(2);
  });

  test('forgets keys that have their whole burst again', () => {
    const it = allowance();
    for (let index = 0; index < 5_000; index += 1) {
      vi.advanceTimersByTime(1_000);
      it.take(`key-${index}`);
    }
    expect(it.size).toBeLessThanOrEqual(1_001);
  });
});
