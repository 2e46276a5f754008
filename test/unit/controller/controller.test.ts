import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Controller, type PassEnd } from '../../../operator/src/controller/controller.ts';
import { WorkQueue } from '../../../operator/src/controller/queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settled: PassEnd = { kind: 'settled' };

function started(reconcile: (key: string) => Promise<PassEnd>, workers = 2) {
  const queue = new WorkQueue();
  const failures: string[] = [];
  const controller = new Controller({
    queue,
    workers,
    reconcile,
    retryAfterMs: (_, count) => count * 1_000,
    onFailure: (key, error, ms) => failures.push(`${key}: ${(error as Error).message}, again in ${ms} ms`),
  });
  controller.start();
  return { queue, controller, failures };
}

describe('a controller', () => {
  test('reconciles what is asked for, and again only when asked again', async () => {
    const reconcile = vi.fn(async () => settled);
    const { queue } = started(reconcile);
    queue.add('shop/orders');
    await vi.advanceTimersByTimeAsync(3_600_000);

    expect(reconcile.mock.calls).toEqual([['shop/orders']]);
  });

  test('looks again after the time that a pass asks for', async () => {
    const reconcile = vi.fn(async (): Promise<PassEnd> => ({ kind: 'after', ms: 500, because: 'a rollout' }));
    const { queue } = started(reconcile);
    queue.add('a');

    await vi.advanceTimersByTimeAsync(499);
    expect(reconcile).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(reconcile).toHaveBeenCalledTimes(2);
  });

  test('tries a failed key again, later each time, and starts over once it did well', async () => {
    let well = false;
    const reconcile = vi.fn(async () => {
      if (!well) throw new Error('denied');
      return settled;
    });
    const { queue, failures } = started(reconcile);
    queue.add('a');
    await vi.advanceTimersByTimeAsync(1_000 + 2_000 + 2);
    well = true;
    await vi.advanceTimersByTimeAsync(3_001);
    well = false;
    queue.add('a');
    await vi.advanceTimersByTimeAsync(0);

    expect(failures).toEqual([
      'a: denied, again in 1000 ms',
      'a: denied, again in 2000 ms',
      'a: denied, again in 3000 ms',
      'a: denied, again in 1000 ms',
    ]);
  });

  test('a failing key does not hold up another', async () => {
    const done: string[] = [];
    const { queue } = started(async (key) => {
      if (key === 'bad') throw new Error('no');
      done.push(key);
      return settled;
    }, 1);
    for (const key of ['bad', 'good']) queue.add(key);
    await vi.advanceTimersByTimeAsync(1);

    expect(done).toEqual(['good']);
  });

  test('works on so many keys at the same time as it has workers', async () => {
    let running = 0;
    let most = 0;
    const { queue } = started(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 10));
      running -= 1;
      return settled;
    }, 3);
    for (let i = 0; i < 10; i += 1) queue.add(`key-${i}`);
    await vi.advanceTimersByTimeAsync(100);

    expect(most).toBe(3);
  });

  test('stops when what it has in hand is finished, and takes nothing more', async () => {
    const finished: string[] = [];
    const { queue, controller } = started(async (key) => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      finished.push(key);
      return settled;
    }, 1);
    for (const key of ['in hand', 'waiting']) queue.add(key);
    await vi.advanceTimersByTimeAsync(1);
    const stopped = controller.stop(10_000);
    await vi.advanceTimersByTimeAsync(500);

    expect(await stopped).toBe(true);
    expect(finished).toEqual(['in hand']);
  });

  test('does not wait for ever for a pass that does not end', async () => {
    const { queue, controller } = started(() => new Promise<PassEnd>(() => {}));
    queue.add('a');
    await vi.advanceTimersByTimeAsync(1);
    const stopped = controller.stop(10_000);
    await vi.advanceTimersByTimeAsync(10_000);

    expect(await stopped).toBe(false);
  });
});
