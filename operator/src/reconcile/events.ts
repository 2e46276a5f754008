import type { MicroserviceStatus } from '../api/microservice.generated.ts';
import type { KubeObject } from '../api/object.ts';
import type { ClusterEvent } from '../cluster/cluster.ts';
import type { Verdict } from './verdict.ts';

/**
 * The event for a Microservice that became ready, or stopped being ready; undefined when neither happened. That a new
 * one is not ready yet is no news.
 */
export function transitionEvent(
  microservice: KubeObject,
  previous: MicroserviceStatus | undefined,
  next: MicroserviceStatus,
  verdict: Verdict,
): ClusterEvent | undefined {
  const [before, after] = [readyIn(previous), readyIn(next)];
  if (after === undefined || before?.status === after.status) return undefined;
  if (before === undefined && after.status === 'False') return undefined;
  const expected = verdict.kind === 'ready' || verdict.reason === 'Progressing';
  return {
    regarding: microservice,
    type: expected ? 'Normal' : 'Warning',
    reason: verdict.reason,
    action: 'Reconcile',
    note: after.message,
  };
}

function readyIn(status: MicroserviceStatus | undefined) {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}
