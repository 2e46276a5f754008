import type { Microservice } from '../../operator/src/api/microservice.generated.ts';
import type { KubeObject, Manifest } from '../../operator/src/api/object.ts';
import { desiredChildren } from '../../operator/src/desired/children.ts';

/** A child as the API server would show it after it was applied. */
export function live(manifest: Manifest, status?: unknown): KubeObject {
  const { kind, metadata } = manifest;
  return {
    ...structuredClone(manifest),
    metadata: { ...metadata, uid: `uid-of-${kind}`, resourceVersion: '1', generation: 1 },
    ...(status === undefined ? {} : { status }),
  };
}

/** All children of a Microservice, applied and not changed since. */
export function liveChildren(ms: Microservice): KubeObject[] {
  return desiredChildren(ms).map((manifest) => live(manifest));
}

/** The status of a Deployment whose pods are all there, in the version asked for. */
export function rolledOut(replicas: number, observedGeneration = 1) {
  return {
    observedGeneration,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    conditions: [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }],
  };
}

/** A pod of `orders` with one container in the given state; made a minute before `now` in the tests. */
export function pod(
  name: string,
  container: object,
  { status = {}, metadata = {} }: { readonly status?: object; readonly metadata?: object } = {},
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name, creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    status: {
      phase: 'Pending',
      containerStatuses: [
        { name: 'orders', image: 'ghcr.io/acme/orders:1.4.2', ready: false, restartCount: 0, ...container },
      ],
      ...status,
    },
  };
}
