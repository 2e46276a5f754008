/** Kubernetes objects as the API server sends them: plain JSON, dates as RFC 3339 strings. */

export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  /** Of a ConfigMap. */
  readonly data?: unknown;
  /** Of a ServiceAccount. */
  readonly automountServiceAccountToken?: boolean;
  readonly status?: unknown;
}

/** What the operator wants an object to be: only the fields it cares about. */
export type Manifest = KubeObject;

/** Names one object of one kind; with `uid`, that very object and no later one of the same name. */
export interface ObjectRef extends ObjectKey {
  readonly kind: string;
  readonly uid?: string;
}
