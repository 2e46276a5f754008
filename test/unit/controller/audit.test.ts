import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Audit } from '../../../operator/src/controller/audit.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function audit(keys: () => readonly string[], periodMs: number) {
  const lookAt = vi.fn<(key: string) => void>();
  const it = new Audit({ keys, lookAt, periodMs });
  it.start();
  return { it, looked: () => lookAt.mock.calls.map(([key]) => key) };
}

describe('an audit', () => {
  const keys = Array.from({ length: 100 }, (_, index) => `shop/${index}`);

  test('looks at each key once in a period, and again in the next', async () => {
    const { looked } = audit(() => keys, 60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(looked().toSorted()).toEqual(keys.toSorted());
    await vi.advanceTimersByTimeAsync(60_000);
    expect(looked()).toHaveLength(200);
  });

  test('spreads its looks evenly', async () => {
    const { looked } = audit(() => keys, 60_000);
    let before = 0;
    for (let step = 0; step < 60; step += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(looked().length - before).toBeLessThanOrEqual(2);
      before = looked().length;
    }
  });

  test('knows keys that came, and forgets keys that went, in the next period', async () => {
    let now = ['shop/a'];
    const { looked } = audit(() => now, 2_000);
    await vi.advanceTimersByTimeAsync(2_000);
    now = ['shop/b'];
    await vi.advanceTimersByTimeAsync(2_000);
    expect(looked()).toEqual(['shop/a', 'shop/b']);
  });

  test('has nothing to do where there is no key, and looks at nothing once it is stopped', async () => {
    let now: string[] = [];
    const { it, looked } = audit(() => now, 1_000);
    await vi.advanceTimersByTimeAsync(5_000);
    now = ['shop/a'];
    it.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(looked()).toEqual([]);
  });
});
