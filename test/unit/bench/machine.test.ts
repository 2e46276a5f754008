import { describe, expect, it } from 'vitest';
import { machineTime, ownTime, processorTime, shareOfOthers } from '../../bench/machine.ts';

describe('the processor time', () => {
  it('of the machine is what was not idle', () => {
    const stat = 'cpu  100 200 300 4000 500 60 7 800 90 10\ncpu0 1 1 1 1 1 1 1 0 0 0\n';

    expect(machineTime(stat)).toEqual({ all: 6.67, available: 51.67 });
  });

  it('of this process counts its children, whatever its name is', () => {
    const before = '42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4';

    expect(ownTime(`${before} 100 20 3000 400 20 0 11 0 5`)).toBe(35.2);
  });

  it('of others is what is left', () => {
    const reading = (all: number, own: number, available: number) => ({ all, own, available });

    expect(shareOfOthers(reading(10, 1, 100), reading(70, 31, 200))).toBe(0.3);
  });

  it('goes on', () => {
    const { all, own, available } = processorTime();

    expect(own).toBeGreaterThan(0);
    expect(all).toBeGreaterThan(own);
    expect(available).toBeGreaterThan(all);
  });
});
