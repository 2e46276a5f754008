import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameQuantity } from '../../../operator/src/reconcile/quantity.ts';

describe('sameQuantity', () => {
  it.for<[unknown, unknown]>([
    ['500m', '0.5'],
    ['1', 1],
    ['1000m', 1],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1G', '1000M'],
    ['1e3', '1k'],
    ['1E3', 1000],
    ['100n', '0.0000001'],
    ['0.1Gi', '107374182400m'],
    ['0.0000000001', '1n'],
    ['+5', '5'],
    ['-5', -5],
  ])('takes %s and %s for the same', ([a, b]) => {
    expect(sameQuantity(a, b)).toBe(true);
    expect(sameQuantity(b, a)).toBe(true);
  });

  it.for<[unknown, unknown]>([
    ['500m', '5'],
    ['1Gi', '1G'],
    ['1', '1m'],
    ['5', '-5'],
    ['', '0'],
    ['.', '0'],
    ['abc', 'abd'],
    ['1 Gi', '1Gi'],
    [undefined, '0'],
    [true, 1],
  ])('takes %s and %s for different', ([a, b]) => {
    expect(sameQuantity(a, b)).toBe(false);
  });

  it('agrees with arithmetic in thousandths', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000 }), fc.nat({ max: 10_000_000 }), (a, b) => {
        const decimal = (thousandths: number) => (thousandths / 1000).toFixed(3);
        expect(sameQuantity(`${a}m`, decimal(b))).toBe(a === b);
        expect(sameQuantity(`${a}m`, decimal(a))).toBe(true);
      }),
    );
  });
});
