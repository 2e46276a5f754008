import type { Reason } from '../api/conditions.ts';
import type { Microservice } from '../api/microservice.generated.ts';
import type { KubeObject } from '../api/object.ts';
import { probeInWords, probeOf, sidecarProbe } from '../desired/probes.ts';
import { type Finding, shortened } from './cause.ts';
import { containerCause, type ProbeWords } from './container-causes.ts';
import { elapsedMs, podCondition, podStatus } from './pod-status.ts';

/** A pod that was scheduled so lately may be about to get its volumes and its network. */
const volumePatienceMs = 10_000;

/** The order in which causes are told: an earlier one keeps the later ones from being seen at all. */
const rank: readonly Reason[] = [
  'ImagePullFailed',
  'SecretMissing',
  'ConfigMapMissing',
  'ContainerFailed',
  'OutOfMemory',
  'CrashLoop',
  'Unschedulable',
  'VolumesPending',
  'InitRunning',
  'ProbeFailing',
];

/** When pods are looked at, and whether their rollout has taken too long already. */
export interface Moment {
  readonly now: Date;
  readonly isLate: boolean;
}

/** The cause that explains best why pods are not ready, whatever the order they come in. */
export function podCause(pods: readonly KubeObject[], ms: Microservice, moment: Moment): Finding {
  const findings = pods
    .filter(counts)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((pod) => findingsIn(pod, ms, moment));
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

function findingsIn(pod: KubeObject, ms: Microservice, moment: Moment): Finding[] {
  const { initContainerStatuses = [], containerStatuses = [] } = podStatus(pod);
  return [
    unschedulable(pod),
    withoutVolumes(pod, ms, moment.now),
    ...[...initContainerStatuses, ...containerStatuses].map((container) =>
      containerCause({
        pod,
        container,
        isInit: isInit(ms, container.name),
        probes: probeWords(ms, container.name),
        ...moment,
      }),
    ),
  ];
}

function isInit({ spec }: Microservice, container: string): boolean {
  return spec.initContainers?.some(({ name, restartPolicy }) => name === container && !restartPolicy) ?? false;
}

function probeWords(ms: Microservice, container: string): ProbeWords {
  const sidecar = ms.spec.initContainers?.find(({ name }) => name === container);
  const words = (name: 'readiness' | 'startup') => {
    const probe = sidecar ? sidecarProbe(sidecar.probes ?? {}, name) : probeOf(ms, name);
    return probe && probeInWords(probe);
  };
  return { readiness: words('readiness'), startup: words('startup') };
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
      remedy: /affinity|selector|taint/.test(why)
        ? 'correct spec.scheduling, lower resources.requests, or add nodes'
        : 'lower resources.requests, or add nodes',
      permanent: false,
    },
  };
}

/** On a node, and neither volumes nor network are there. Which it is, only an event of the pod tells. */
function withoutVolumes(pod: KubeObject, { spec }: Microservice, now: Date): Finding {
  const scheduled = podCondition(pod, 'PodScheduled');
  if (scheduled?.status !== 'True' || podCondition(pod, 'PodReadyToStartContainers')?.status !== 'False') return {};
  const leftMs = volumePatienceMs - elapsedMs(scheduled.lastTransitionTime, now);
  if (leftMs > 0) return { lookAgainMs: leftMs };
  const { name, namespace } = pod.metadata;
  const needed = (spec.volumes ?? []).flatMap(({ configMap, secret, persistentVolumeClaim }) => [
    ...(configMap ? [`ConfigMap ${configMap.name}`] : []),
    ...(secret ? [`Secret ${secret.secretName}`] : []),
    ...(persistentVolumeClaim ? [`PersistentVolumeClaim ${persistentVolumeClaim.claimName}`] : []),
  ]);
  return {
    cause: {
      reason: 'VolumesPending',
      what: `the pod waits for its volumes or for its network${needed.length === 0 ? '' : `; it needs ${needed.join(', ')}`}`,
      where: `pod ${namespace}/${name}`,
      remedy: `check that they exist and can be mounted: \`kubectl describe pod ${name} -n ${namespace}\``,
      permanent: false,
    },
  };
}
