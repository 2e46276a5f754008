import { replicasSetByAnnotation } from '../api/labels.ts';
import type { Microservice } from '../api/microservice.generated.ts';
import type { KubeObject, Manifest } from '../api/object.ts';
import { autoscalingOf, fewestReplicas } from '../desired/replicas.ts';
import type { Step } from './step.ts';

/**
 * Keeps the pods that run while the replica count passes from the spec to the autoscaler. A field that its only
 * owner stops stating falls back to its default, here 1; so before the operator stops, the live count is stated under
 * an owner of its own. Two cases:
 * - the live Deployment still has its count from the spec;
 * - its count is 0, which an autoscaler takes as being switched off.
 */
export function handover(desired: Manifest, live: KubeObject, ms: Microservice): readonly Step[] {
  const autoscaling = autoscalingOf(ms);
  if (desired.kind !== 'Deployment' || autoscaling === undefined) return [];
  const handedOver = live.metadata.annotations?.[replicasSetByAnnotation] === 'autoscaler';
  const replicas = liveReplicas(live);
  if (handedOver && replicas > 0) return [];
  const { apiVersion, kind, metadata } = live;
  const { namespace, name, uid } = metadata;
  const manifest = {
    apiVersion,
    kind,
    metadata: { namespace, name, ...(uid !== undefined && { uid }) },
    spec: { replicas: Math.max(replicas, fewestReplicas(autoscaling)) },
  };
  const because = handedOver ? 'the autoscaler does not act on 0 pods' : 'the autoscaler sets the replicas from now on';
  return [{ kind: 'handover', manifest, because }];
}

/** The number of pods that a live Deployment asks for. */
export function liveReplicas(deployment: KubeObject): number {
  const { replicas } = deployment.spec as { readonly replicas?: number };
  return replicas ?? 1;
}
