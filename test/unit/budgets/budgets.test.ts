import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BudgetsLeft } from '../../../operator/src/api/objectives.ts';
import { BudgetMemory, type BudgetsOptions } from '../../../operator/src/budgets/budgets.ts';

const periodMs = 60_000;
const answered = (left: BudgetsLeft) => new Map([['shop/orders', left]]);

/** A memory whose Prometheus answers what the test says next. */
function open(change: Partial<BudgetsOptions> = {}) {
  const changed: string[] = [];
  const failures: (readonly [string, number])[] = [];
  const world = { answer: answered({ availability: 87 }) as ReadonlyMap<string, BudgetsLeft> | Error, asked: 0 };
  const memory = new BudgetMemory({
    ask: async () => {
      world.asked += 1;
      if (world.answer instanceof Error) throw world.answer;
      return world.answer;
    },
    withObjectives: () => ['shop/orders'],
    leads: () => true,
    onChange: (id) => changed.push(id),
    onFailure: (reason, inARow) => failures.push([reason, inARow]),
    periodMs,
    ...change,
  });
  return { memory, world, changed, failures };
}

describe('the memory of error budgets', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it('asks at once, then once in a period, and tells of a Microservice only when its figures change', async () => {
    const { memory, world, changed } = open();
    expect(memory.of('shop/orders')).toEqual({ kind: 'unasked' });
    memory.begin();
    await pass(0);
    expect(memory.of('shop/orders')).toEqual({ kind: 'known', left: { availability: 87 } });
    expect(memory.of('shop/other')).toEqual({ kind: 'known', left: {} });
    await pass(10 * periodMs);
    expect([world.asked, changed.length]).toEqual([11, 1]);
    world.answer = answered({ availability: 86 });
    await pass(periodMs);
    expect(changed.length).toBe(2);
    memory.stop();
    await pass(10 * periodMs);
    expect(world.asked).toBe(12);
  });

  it('keeps the last figures for three periods without an answer, then says that nothing is known, and why', async () => {
    const { memory, world, changed, failures } = open();
    memory.begin();
    await pass(0);
    world.answer = new Error('Prometheus cannot be reached');
    await pass(2 * periodMs);
    expect(memory.of('shop/orders').kind).toBe('known');
    await pass(periodMs);
    const because = 'not known: Prometheus cannot be reached';
    expect(memory.of('shop/orders')).toEqual({ kind: 'unknown', because });
    await pass(10 * periodMs);
    expect(changed.length).toBe(2);
    expect(failures.map(([, inARow]) => inARow)).toEqual(Array.from({ length: 13 }, (_, at) => at + 1));
    world.answer = answered({ availability: 87 });
    await pass(periodMs);
    expect(memory.of('shop/orders').kind).toBe('known');
    memory.stop();
  });

  it('asks nobody while no Microservice has objectives, or another operator leads', async () => {
    for (const change of [{ withObjectives: () => [] }, { leads: () => false }]) {
      const { memory, world } = open(change);
      memory.begin();
      await pass(5 * periodMs);
      expect(world.asked).toBe(0);
      expect(memory.of('shop/orders')).toEqual({ kind: 'unasked' });
      memory.stop();
    }
  });

  it('has one question at a time, however long the answer takes', async () => {
    let under = 0;
    let most = 0;
    const slow = async () => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, 3 * periodMs));
      under -= 1;
      return answered({ availability: 1 });
    };
    const { memory } = open({ ask: slow });
    memory.begin();
    await pass(periodMs);
    memory.begin();
    await pass(10 * periodMs);
    expect(most).toBe(1);
    memory.stop();
  });
});
