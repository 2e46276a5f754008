import type { Reason } from '../api/conditions.ts';
import type { KubeObject } from '../api/object.ts';
import { type Finding, shortened } from './cause.ts';
import { containerCause, type ProbeWords } from './container-causes.ts';
import { podCondition, podStatus } from './pod-status.ts';

/** The order in which causes are told: an earlier one keeps the later ones from being seen at all. */
const rank: readonly Reason[] = [
  'ImagePullFailed',
  'SecretMissing',
  'ConfigMapMissing',
  'ContainerFailed',
  'OutOfMemory',
  'CrashLoop',
  'Unschedulable',
  'ProbeFailing',
];

/** The cause that explains best why pods are not ready, whatever the order they come in. */
export function podCause(pods: readonly KubeObject[], probes: ProbeWords, now: Date): Finding {
  const findings = pods
    .filter(counts)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((pod) => findingsIn(pod, probes, now));
  const causes = findings.flatMap(({ cause }) => cause ?? []);
  const waits = findings.flatMap(({ lookAgainMs }) => lookAgainMs ?? []);
  const [cause] = causes.toSorted((a, b) => rank.indexOf(a.reason) - rank.indexOf(b.reason));
  return { ...(cause && { cause }), ...(waits.length > 0 && { lookAgainMs: Math.min(...waits) }) };
}

/** Pods that are going, or have ended for good, are being replaced and say nothing about those that stay. */
function counts(pod: KubeObject): boolean {
  const { phase } = podStatus(pod);
  return pod.metadata.deletionTimestamp === undefined && phase !== 'Failed' && phase !== 'Succeeded';
}

function findingsIn(pod: KubeObject, probes: ProbeWords, now: Date): Finding[] {
  const { initContainerStatuses = [], containerStatuses = [] } = podStatus(pod);
  return [
    unschedulable(pod),
    ...[...initContainerStatuses, ...containerStatuses].map((container) =>
      containerCause({ pod, container, probes, now }),
    ),
  ];
}

function unschedulable(pod: KubeObject): Finding {
  const scheduled = podCondition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return {};
  // What preemption could not do either follows; it says the same at greater length.
  const why = (scheduled.message ?? '').replace(/(no new claims to deallocate, )?preemption:.*$/s, '');
  return {
    cause: {
      reason: 'Unschedulable',
      what: `no node can take the pod: ${shortened(why)}`,
      where: `pod ${pod.metadata.namespace}/${pod.metadata.name}`,
      remedy: 'lower resources.requests, or add nodes',
      permanent: false,
    },
  };
}
