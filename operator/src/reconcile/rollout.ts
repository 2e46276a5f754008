import { contentMarkAnnotation } from '../api/labels.ts';
import type { KubeObject, ObjectMeta } from '../api/object.ts';
import { liveReplicas } from './handover.ts';
import type { Observed } from './observe.ts';
import { ownershipOf } from './ownership.ts';

/** How far a Deployment is with what its spec asks for. */
export interface Rollout {
  /** Pods asked for, that exist, that are ready, and that are available. */
  readonly wanted: number;
  readonly existing: number;
  readonly ready: number;
  readonly available: number;
  /** Kubernetes has seen the spec that is there; until then nothing below holds. */
  readonly current: boolean;
  /** Every pod that exists is of the version that is asked for. */
  readonly uniform: boolean;
  /** All pods that are wanted are available in the version that is asked for, and no others exist. */
  readonly complete: boolean;
  /** The version that is asked for has been complete before. */
  readonly finishedBefore: boolean;
  /** Kubernetes gave up waiting for progress. */
  readonly deadlineExceeded: boolean;
  /** Why the API server refuses to create pods, if it does. */
  readonly podsRefused: string | undefined;
}

interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
}

/** Reads a live Deployment. A status that speaks about an earlier generation proves nothing about this one. */
export function rolloutOf(deployment: KubeObject): Rollout {
  const status = (deployment.status ?? {}) as DeploymentStatus;
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const wanted = liveReplicas(deployment);
  const current = (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 1);
  const condition = (type: string) =>
    current ? status.conditions?.find((candidate) => candidate.type === type) : undefined;
  const progressing = condition('Progressing');
  const refused = condition('ReplicaFailure');
  return {
    wanted,
    existing: replicas,
    ready: readyReplicas,
    available: availableReplicas,
    current,
    uniform: current && updatedReplicas === replicas,
    complete: current && [replicas, updatedReplicas, availableReplicas].every((count) => count === wanted),
    finishedBefore: progressing?.reason === 'NewReplicaSetAvailable',
    deadlineExceeded: progressing?.reason === 'ProgressDeadlineExceeded',
    podsRefused: refused?.status === 'True' ? (refused.message ?? '') : undefined,
  };
}

/** What stands for the content that the pods were made with, as the Deployment says. */
export function liveContentMark({ microservice, children }: Observed): string | undefined {
  const deployment = children.find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined || ownershipOf(deployment, microservice) !== 'ours') return undefined;
  const { template } = deployment.spec as { readonly template?: { readonly metadata?: Partial<ObjectMeta> } };
  return template?.metadata?.annotations?.[contentMarkAnnotation];
}
