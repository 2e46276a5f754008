import type { V1DeploymentSpec, V1DeploymentStrategy } from '@kubernetes/client-node';
import { contentMarkAnnotation, replicasSetByAnnotation } from '../api/labels.ts';
import type { Microservice } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { childLabels, childMetadata, selectorLabels } from './metadata.ts';
import { metricsAnnotations } from './metrics-endpoint.ts';
import { podSpec } from './pod.ts';
import { autoscalingOf, replicasOf } from './replicas.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * The workload. While an autoscaler is at work, `replicas` is the autoscaler's to set, so it is left out. Another
 * `contentMark`, other pods.
 */
export function deployment(
  ms: Microservice,
  { contentMark, collector }: Pick<Surroundings, 'contentMark' | 'collector'> = {},
): Manifest {
  const autoscaling = autoscalingOf(ms);
  const { podLabels, podAnnotations, rollout = {} } = ms.spec;
  const annotations = {
    ...metricsAnnotations(ms),
    ...podAnnotations,
    ...(contentMark && { [contentMarkAnnotation]: contentMark }),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMetadata(ms, { [replicasSetByAnnotation]: autoscaling ? 'autoscaler' : 'spec' }),
    spec: {
      ...(autoscaling ? {} : { replicas: replicasOf(ms) }),
      selector: { matchLabels: selectorLabels(ms) },
      strategy: strategy(rollout),
      revisionHistoryLimit: 5,
      minReadySeconds: rollout.minReadySeconds ?? 0,
      progressDeadlineSeconds: progressDeadlineSeconds(ms),
      template: {
        metadata: {
          labels: { ...podLabels, ...childLabels(ms) },
          ...(Object.keys(annotations).length > 0 && { annotations }),
        },
        spec: podSpec(ms, collector),
      },
    } satisfies V1DeploymentSpec,
  };
}

/** A rollout that makes no progress for so long has failed. */
export function progressDeadlineSeconds({ spec: { rollout } }: Microservice): number {
  return rollout?.progressDeadlineSeconds ?? 300;
}

function strategy({
  type,
  maxSurge = 1,
  maxUnavailable = 0,
}: NonNullable<Microservice['spec']['rollout']>): V1DeploymentStrategy {
  return type === 'Recreate' ? { type } : { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } };
}
