import type { KubeObject } from '../api/object.ts';

/** The part of a pod's status that tells why it is not ready. */
export interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly PodCondition[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly containerStatuses?: readonly ContainerStatus[];
}

export interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: Waiting;
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: Terminated;
  };
  readonly lastState?: { readonly terminated?: Terminated };
}

export interface Waiting {
  readonly reason?: string;
  readonly message?: string;
}

export interface Terminated {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}

export function podStatus(pod: KubeObject): PodStatus {
  return pod.status ?? {};
}

export function podCondition(pod: KubeObject, type: string): PodCondition | undefined {
  return podStatus(pod).conditions?.find((candidate) => candidate.type === type);
}

/** Milliseconds from a time to now; very many when the time is not known. */
export function elapsedMs(time: string | undefined, now: Date): number {
  return time === undefined ? Number.MAX_SAFE_INTEGER : now.getTime() - Date.parse(time);
}
