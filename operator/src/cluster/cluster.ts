import type { KubeObject, Manifest, ObjectKey, ObjectRef } from '../api/object.ts';
import type { ContentRef, Digests } from '../desired/content.ts';

/**
 * All that the core may ask of a cluster. Reads answer from memory, kept by watches, and cost no request;
 * `read` is the one exception, for an object that no watch shows. Writes throw `ClusterError`.
 */
export interface Cluster {
  /** The Microservice of that name, or undefined when there is none. */
  microservice(key: ObjectKey): KubeObject | undefined;
  /** Every child object that carries the labels of that Microservice, of every kind that the operator creates. */
  children(key: ObjectKey): readonly KubeObject[];
  /** The pods of that Microservice. */
  pods(key: ObjectKey): readonly KubeObject[];
  /**
   * What content the pods of that Microservice use: a digest for each reference, in their order, `absent` where the object
   * or one of its keys is not there, `unread` where it could not be read; undefined while some of it is being read. From now on a change of any of them
   * asks for work on that Microservice.
   */
  contents(key: ObjectKey, refs: readonly ContentRef[]): Digests | undefined;
  /** Whether memory has caught up with the last writes made for that Microservice; before that, a decision would be made on old news. */
  caughtUp(key: ObjectKey): boolean;
  /** Asks the API server for one object, whoever it belongs to; undefined when there is none. */
  read(ref: ObjectRef): Promise<KubeObject | undefined>;
  /** Creates an object by server-side apply, and only creates: `exists` when an object of that name is there already. */
  create(manifest: Manifest): Promise<KubeObject>;
  /** Server-side apply with force under the operator's field manager, or under the one named. */
  apply(manifest: Manifest, options?: { readonly fieldManager?: string }): Promise<KubeObject>;
  /** A merge patch of exactly that version of an object: for what others put there and an apply cannot take away. */
  patch(live: KubeObject, patch: unknown): Promise<KubeObject>;
  /** Deletes that very object (precondition: `uid`); one that is gone already counts as deleted. */
  remove(ref: ObjectRef & { readonly uid: string }): Promise<void>;
  /** Replaces the status of exactly that version of a Microservice: `conflict` when there is a newer one. */
  writeStatus(microservice: KubeObject, status: unknown): Promise<void>;
  /** Records a Kubernetes event about an object. Never fails and never waits: an event that cannot be written is counted and dropped. */
  emit(event: ClusterEvent): void;
}

export interface ClusterEvent {
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}
