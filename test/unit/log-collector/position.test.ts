import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Position } from '../../../operator/src/log-collector/position.ts';

const second = 1_000_000_000n;

describe('how far a log was read', () => {
  it('is nowhere before the first line', () => {
    expect(new Position().from).toBeUndefined();
    expect(new Position().recent.size).toBe(0);
  });

  it('is a whole second that is at least one before the newest line', () => {
    expect(new Position([1_767_225_600n * second + 5n]).from).toEqual(new Date(1_767_225_599_000));
  });

  it('knows every line of those that are given again from there, wherever outputs were out of order', () => {
    const times = fc.array(fc.bigInt({ min: 0n, max: 20n * second }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(times, (read) => {
        const position = new Position(read);
        const from = BigInt((position.from ?? new Date(0)).getTime()) * 1_000_000n;
        for (const time of read) if (time >= from) expect(position.recent).toContain(time);
      }),
    );
  });

  it('remembers no more than so many lines', () => {
    const position = new Position();
    for (let time = 0n; time < 50_000n; time += 1n) position.pass(time);
    expect(position.recent.size).toBe(10_000);
    expect(position.recent).toContain(49_999n);
  });
});
