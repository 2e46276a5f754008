import { describe, expect, it } from 'vitest';
import { isKept } from '../../bench/budget.ts';
import { figure, medianOf } from '../../bench/figure.ts';

describe('a figure', () => {
  it('has the middle of its samples for median', () => {
    expect(medianOf([9, 1, 5])).toBe(5);
    expect(medianOf([10, 9, 1, 5])).toBe(7);
    expect(() => medianOf([])).toThrow('nothing was measured');
  });

  it('has the longest time and the lowest rate for worst', () => {
    expect(figure({ what: 'a time', unit: 'ms' }, [3, 1, 2])).toMatchObject({ median: 2, worst: 3, times: 3 });
    expect(figure({ what: 'a rate', unit: '1/s', better: 'more' }, [3, 1, 2])).toMatchObject({ worst: 1 });
  });
});

describe('a budget', () => {
  it('is kept up to its limit, and not by what could not be counted', () => {
    const budget = (found: number) => ({ what: 'requests', limit: 12, found });

    expect([0, 12, 12.01, Number.NaN].map((found) => isKept(budget(found)))).toEqual([true, true, false, false]);
  });
});
