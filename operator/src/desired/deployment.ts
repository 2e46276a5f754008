import type { V1Container, V1DeploymentSpec, V1PodSpec, V1ResourceRequirements } from '@kubernetes/client-node';
import { replicasSetByAnnotation } from '../api/labels.ts';
import type { Microservice, Resources } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { environment, environmentSources } from './environment.ts';
import { childLabels, childMetadata, selectorLabels } from './metadata.ts';
import { probeOf } from './probes.ts';

/** A rollout that makes no progress for so long has failed. */
export const progressDeadlineSeconds = 300;

/** Between the order to stop and SIGTERM, so that traffic has moved away before the process stops listening. */
const drainSeconds = 5;
/** Between the order to stop and SIGKILL. */
const graceSeconds = 30;

/** The workload. While an autoscaler is asked for, `replicas` is the autoscaler's to set, so it is left out. */
export function deployment(ms: Microservice): Manifest {
  const { autoscaling, replicas } = ms.spec;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMetadata(ms, { [replicasSetByAnnotation]: autoscaling ? 'autoscaler' : 'spec' }),
    spec: {
      ...(autoscaling ? {} : { replicas }),
      selector: { matchLabels: selectorLabels(ms) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 5,
      progressDeadlineSeconds,
      template: { metadata: { labels: childLabels(ms) }, spec: podSpec(ms) },
    } satisfies V1DeploymentSpec,
  };
}

/** A pod that passes Pod Security `restricted`. Which user it runs as is the image's to say, as long as it is not root. */
function podSpec(ms: Microservice): V1PodSpec {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selectorLabels(ms) },
        matchLabelKeys: ['pod-template-hash'],
      },
    ],
    containers: [container(ms)],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  };
}

function container(ms: Microservice): V1Container {
  const { image, command, args, env, envFrom, ports, resources } = ms.spec;
  const [readinessProbe, livenessProbe, startupProbe] = (['readiness', 'liveness', 'startup'] as const).map((name) =>
    probeOf(ms, name),
  );
  return {
    name: ms.metadata.name,
    image,
    imagePullPolicy: 'IfNotPresent',
    ...(command?.length && { command: [...command] }),
    ...(args?.length && { args: [...args] }),
    ...(env?.length && { env: environment(env) }),
    ...(envFrom?.length && { envFrom: environmentSources(envFrom) }),
    ...(ports?.length && {
      ports: ports.map(({ name, containerPort, protocol = 'TCP' }) => ({ name, containerPort, protocol })),
    }),
    ...(resources && { resources: requirements(resources) }),
    ...(startupProbe && { startupProbe }),
    ...(readinessProbe && { readinessProbe }),
    ...(livenessProbe && { livenessProbe }),
    lifecycle: { preStop: { sleep: { seconds: drainSeconds } } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
    // The root filesystem is read-only, and many programs expect to write here.
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  };
}

/** Amounts as text, so that 1 and "1" are the same. */
function requirements({ requests = {}, limits = {} }: Resources): V1ResourceRequirements {
  const asText = (amounts: Readonly<Record<string, number | string>>) =>
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
  return {
    ...(Object.keys(requests).length > 0 && { requests: asText(requests) }),
    ...(Object.keys(limits).length > 0 && { limits: asText(limits) }),
  };
}
