import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectKey } from '../../operator/src/api/object.ts';
import type { Fleet } from './fleet.ts';

const everyMs = 100;

/** Edits one Microservice ten times a second for as long as something else goes on; gives its result, and how often it did. */
export async function whileFlapping<T>(
  fleet: Fleet,
  key: ObjectKey,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly edited: number; readonly seconds: number }> {
  const start = performance.now();
  let isOver = false;
  const flap = async (): Promise<number> => {
    let edited = 0;
    for (let next = start; !isOver; next += everyMs) {
      await sleep(Math.max(0, next - performance.now()));
      await fleet.edit(key, `example.test/bench:flap-${edited}`);
      edited += 1;
    }
    return edited;
  };
  const working = work().finally(() => {
    isOver = true;
  });
  const [result, edited] = await Promise.all([working, flap()]);
  return { result, edited, seconds: (performance.now() - start) / 1000 };
}
