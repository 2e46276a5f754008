import type { MicroserviceStatus } from '../api/microservice.generated.ts';
import { canonicalJson } from '../desired/hash.ts';
import { elapsedMs } from './pod-status.ts';

/**
 * A rollout that is over sooner than this is told by two writes, one when it begins and one when it ends;
 * after that the number of ready pods is told on the way too.
 */
const quietMs = 10_000;

/**
 * Whether a status is worth a write, or, when only numbers of pods changed, in how many milliseconds it will be.
 * - Anything but the numbers of pods changed: now.
 * - Only the numbers, and nothing is going on: now.
 * - Only the numbers, during a rollout: not in its first 10 seconds, and then at every tenth of the pods, so that a
 *   rollout costs at most ten more writes however many pods it has.
 */
export function worthWriting(
  previous: MicroserviceStatus | undefined,
  next: MicroserviceStatus,
  now: Date,
): { readonly write: boolean; readonly lookAgainMs?: number } {
  if (canonicalJson(withoutCounts(previous)) !== canonicalJson(withoutCounts(next))) return { write: true };
  if (canonicalJson(previous) === canonicalJson(next)) return { write: false };
  const reconciling = next.conditions?.find(({ type }) => type === 'Reconciling');
  if (reconciling === undefined) return { write: true };
  const quietForMs = quietMs - elapsedMs(reconciling.lastTransitionTime, now);
  if (quietForMs > 0) return { write: false, lookAgainMs: quietForMs };
  return { write: tenths(previous) !== tenths(next) };
}

function withoutCounts(status: MicroserviceStatus | undefined): unknown {
  return { ...status, replicas: undefined, readyReplicas: undefined, pods: undefined };
}

/** How many tenths of the wanted pods are ready, and how many pods are wanted. */
function tenths(status: MicroserviceStatus | undefined): string {
  const [ready = 0, wanted = 0] = (status?.pods ?? '0/0').split('/').map(Number);
  return `${wanted === 0 ? 10 : Math.floor((10 * ready) / wanted)} of ${wanted}`;
}
