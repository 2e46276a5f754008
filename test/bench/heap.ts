import { setTimeout as sleep } from 'node:timers/promises';
import type { Bed } from './bed.ts';
import { metricsOf, quiet, withOperator } from './operator.ts';
import { metricIn } from './requests.ts';

const readings = 10;
const betweenMs = 300;

/** Bytes that an operator keeps in its heap, with what is in the cluster, once it is at rest. */
export async function heapKept(bed: Bed): Promise<number> {
  const collecting = ['--expose-gc', `--import=${import.meta.resolve('./collecting.ts')}`];
  return withOperator(
    bed,
    async (operator) => {
      await quiet(operator);
      // The metrics are made anew for each reading, so the least is nearest to what is kept.
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < readings; i += 1) {
        await sleep(betweenMs);
        least = Math.min(least, metricIn(await metricsOf(operator), 'nodejs_heap_size_used_bytes'));
      }
      return least;
    },
    collecting,
  );
}
