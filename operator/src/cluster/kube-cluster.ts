import { randomBytes } from 'node:crypto';
import { childKinds } from '../api/kinds.ts';
import { fieldManager, group, managedBy, managedByLabel, microserviceLabel } from '../api/labels.ts';
import type { KubeObject, Manifest, ObjectKey, ObjectRef } from '../api/object.ts';
import type { Log } from '../support/log.ts';
import type { Cluster, ClusterEvent } from './cluster.ts';
import { ClusterError } from './errors.ts';
import { replacing } from './merge-patch.ts';
import { Reflector } from './reflector.ts';
import * as api from './resource.ts';
import { type Change, idOf, Store, trimmed, trimmedPod } from './store.ts';
import type { Transport } from './transport.ts';

export interface KubeClusterOptions {
  readonly transport: Transport;
  readonly log: Log;
  /** Told about every Microservice that something changed for: itself, a child, a pod. */
  readonly onChange: (microservice: ObjectKey) => void;
  readonly onWatchRestart?: (kind: string, reason: 'expired' | 'failed') => void;
  readonly onEventDropped?: () => void;
  /** Names this process in events. */
  readonly instance: string;
  /** See ReflectorOptions. */
  readonly inactivityMs?: number;
}

/**
 * Owner of what a patch wrote. Not the manager that applies: what one manager both patched and applied, no apply of
 * his could take away again.
 */
const repairFieldManager = `${fieldManager}-repair`;

/** A kind that is watched: what is known of it, and who keeps that up to date. */
interface Watched {
  readonly store: Store;
  readonly reflector: Reflector;
}

/** Something that memory has to show before the next decision, or until it is no longer waited for. */
interface Expected {
  readonly what: string;
  readonly isSeen: () => boolean;
  readonly giveUpAt: number;
}

/** A watch is milliseconds behind; when a write is not seen after this, waiting longer helps nobody. */
const longestBehindMs = 15_000;

/** More events than this under way at once are dropped: they are a courtesy to people, never a reason to wait. */
const mostEventsUnderWay = 32;
const longestNoteBytes = 1024;

/** A real cluster: reads from memory that watches keep, writes through the API server. */
export class KubeCluster implements Cluster {
  readonly #options: KubeClusterOptions;
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly #microservices: Watched;
  readonly #pods: Watched;
  readonly #children: readonly Watched[];
  /** Our last writes that memory has not shown yet, by Microservice. */
  readonly #expected = new Map<string, Expected[]>();
  #eventsUnderWay = 0;

  constructor(options: KubeClusterOptions) {
    this.#options = options;
    this.#microservices = this.#watch(api.microservices, undefined);
    this.#pods = this.#watch(api.pods, microserviceLabel, trimmedPod);
    const children = childKinds.map(
      (child) => [child.kind, this.#watch(child, `${managedByLabel}=${managedBy}`)] as const,
    );
    this.#children = children.map(([, watched]) => watched);
    this.#watched = new Map([[api.microservices.kind, this.#microservices], [api.pods.kind, this.#pods], ...children]);
  }

  // --- life ---

  /** Starts to fill memory; see `firstSync`. */
  start(): void {
    for (const { reflector } of this.#watched.values()) reflector.start();
  }

  /** Ends all watches. Memory stays as it is. */
  async stop(): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ reflector }) => reflector.stop()));
  }

  /** Resolves when memory holds every kind for the first time. */
  async firstSync(): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ reflector }) => reflector.firstSync));
  }

  /** The kinds of which memory is not complete at the moment. */
  get unsynced(): string[] {
    return [...this.#watched].filter(([, { reflector }]) => !reflector.synced).map(([kind]) => kind);
  }

  /** Milliseconds since anything happened on the watch that was quiet for longest. */
  get longestIdleMs(): number {
    return Math.max(...[...this.#watched.values()].map(({ reflector }) => reflector.idleMs));
  }

  /** Every Microservice that memory holds. */
  microservices(): Iterable<KubeObject> {
    return this.#microservices.store.all();
  }

  // --- reads, from memory ---

  microservice(key: ObjectKey): KubeObject | undefined {
    return this.#microservices.store.get(key);
  }

  children(key: ObjectKey): readonly KubeObject[] {
    return this.#children.flatMap(({ store }) => store.of(key));
  }

  pods(key: ObjectKey): readonly KubeObject[] {
    return this.#pods.store.of(key);
  }

  caughtUp(key: ObjectKey): boolean {
    const id = idOf(key);
    const missing = this.#expected.get(id)?.filter((each) => !each.isSeen()) ?? [];
    const late = missing.filter(({ giveUpAt }) => giveUpAt <= performance.now());
    for (const { what } of late) {
      this.#options.log.warn({ microservice: id, write: what }, 'write not seen in time, going on without');
    }
    const awaited = missing.filter((each) => !late.includes(each));
    if (awaited.length === 0) this.#expected.delete(id);
    else this.#expected.set(id, awaited);
    return awaited.length === 0;
  }

  // --- requests ---

  async read(ref: ObjectRef): Promise<KubeObject | undefined> {
    try {
      return await api.get(this.#options.transport, ref);
    } catch (error) {
      if (isKind(error, 'gone')) return undefined;
      throw error;
    }
  }

  async create(manifest: Manifest): Promise<KubeObject> {
    try {
      const created = await api.create(this.#options.transport, manifest, { fieldManager });
      this.#expect(ownerOf(manifest), created);
      return created;
    } catch (error) {
      // The only thing that a create can be in conflict with is an object that is there already.
      if (!isKind(error, 'conflict')) throw error;
      const { kind, metadata } = manifest;
      throw new ClusterError('exists', `create ${kind} ${idOf(metadata)}: exists: it is there already`, {
        cause: error,
      });
    }
  }

  async apply(manifest: Manifest, options: { readonly fieldManager?: string } = {}): Promise<KubeObject> {
    const applied = await api.apply(this.#options.transport, manifest, { fieldManager, ...options });
    this.#expect(ownerOf(manifest), applied);
    return applied;
  }

  async patch(live: KubeObject, patch: unknown): Promise<KubeObject> {
    const patched = await api.patch(this.#options.transport, live, onVersionOf(live, patch), {
      fieldManager: repairFieldManager,
    });
    this.#expect(ownerOf(live), patched);
    return patched;
  }

  async remove(ref: ObjectRef & { readonly uid: string }): Promise<void> {
    const store = this.#watched.get(ref.kind)?.store;
    const owner = ownerOf(store?.get(ref));
    try {
      await api.remove(this.#options.transport, ref);
    } catch (error) {
      // In conflict: an object of that name is there, but it is another one. Either way, that very one is gone.
      if (!isKind(error, 'gone') && !isKind(error, 'conflict')) throw error;
    }
    this.#await(owner, `delete ${ref.kind} ${idOf(ref)}`, () => {
      const left = store?.get(ref)?.metadata;
      return left?.uid !== ref.uid || left.deletionTimestamp !== undefined;
    });
  }

  async writeStatus(microservice: KubeObject, status: unknown): Promise<void> {
    const patch = onVersionOf(microservice, { status: replacing(microservice.status, status) });
    const written = await api.patch(this.#options.transport, microservice, patch, {
      fieldManager,
      subresource: 'status',
    });
    this.#expect(microservice.metadata, written);
  }

  emit(event: ClusterEvent): void {
    if (this.#eventsUnderWay >= mostEventsUnderWay) {
      this.#options.onEventDropped?.();
      return;
    }
    this.#eventsUnderWay += 1;
    api
      .post(this.#options.transport, this.#eventObject(event))
      .catch((error: Error) => {
        this.#options.onEventDropped?.();
        this.#options.log.warn({ reason: error.message }, 'event not recorded');
      })
      .finally(() => {
        this.#eventsUnderWay -= 1;
      });
  }

  // --- inner workings ---

  #watch(resource: api.Resource, labelSelector: string | undefined, trim = trimmed): Watched {
    const { transport, log, onWatchRestart, inactivityMs } = this.#options;
    const store = new Store();
    const reflector = new Reflector({
      transport,
      resource,
      labelSelector,
      trim,
      store,
      log,
      onChange: (change) => this.#changed(resource, change),
      onRestart: (reason) => onWatchRestart?.(resource.kind, reason),
      ...(inactivityMs !== undefined && { inactivityMs }),
    });
    return { store, reflector };
  }

  /** Whoever the object belongs to now, or belonged to before somebody changed its labels, hears of the change. */
  #changed(resource: api.Resource, { before, after }: Change): void {
    const concerned = new Map<string, ObjectKey>();
    for (const object of [before, after]) {
      if (object === undefined) continue;
      const keys = resource === api.microservices ? [object.metadata] : ownersOf(object);
      for (const { namespace, name } of keys) concerned.set(idOf({ namespace, name }), { namespace, name });
    }
    for (const key of concerned.values()) this.#options.onChange(key);
  }

  /** Memory has caught up once it has seen this version of this object. */
  #expect(owner: ObjectKey | undefined, { kind, metadata }: KubeObject): void {
    const { resourceVersion } = metadata;
    const reflector = this.#watched.get(kind)?.reflector;
    if (reflector === undefined || resourceVersion === undefined) return;
    this.#await(owner, `${kind} ${idOf(metadata)}`, () => reflector.hasSeen(resourceVersion));
  }

  #await(owner: ObjectKey | undefined, what: string, isSeen: () => boolean): void {
    if (owner === undefined || isSeen()) return;
    const id = idOf(owner);
    const expected = this.#expected.get(id) ?? [];
    this.#expected.set(id, [...expected, { what, isSeen, giveUpAt: performance.now() + longestBehindMs }]);
  }

  #eventObject({ regarding, type, reason, action, note }: ClusterEvent): KubeObject {
    const { apiVersion, kind, metadata } = regarding;
    const { namespace, name, uid, resourceVersion } = metadata;
    const event = {
      apiVersion: api.events.apiVersion,
      kind: api.events.kind,
      metadata: { namespace, name: `${name}.${randomBytes(8).toString('hex')}` },
      eventTime: new Date().toISOString().replace('Z', '000Z'),
      reportingController: `${group}/operator`,
      reportingInstance: this.#options.instance,
      regarding: { apiVersion, kind, namespace, name, uid, resourceVersion },
      type,
      reason,
      action,
      note: shortened(note),
    };
    return event;
  }
}

/** A patch for the version that it was decided for, and never for a later object of the same name. */
function onVersionOf({ metadata: { resourceVersion } }: KubeObject, patch: unknown): unknown {
  return { ...(patch as object), metadata: { resourceVersion } };
}

/** A note of at most so many bytes as the API server takes, cut between two characters. */
function shortened(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= longestNoteBytes) return note;
  const kept = bytes.subarray(0, longestNoteBytes - Buffer.byteLength('…'));
  return `${kept.toString('utf8').replace(/\uFFFD+$/, '')}…`;
}

/** The Microservice that a child's label names. */
function ownerOf(object: KubeObject | undefined): ObjectKey | undefined {
  const name = object?.metadata.labels?.[microserviceLabel];
  return object === undefined || name === undefined ? undefined : { namespace: object.metadata.namespace, name };
}

/** The Microservices that an object belongs to, by its label and by its owner references. */
function ownersOf(object: KubeObject): ObjectKey[] {
  const { namespace, ownerReferences = [] } = object.metadata;
  const labelled = ownerOf(object);
  const referred = ownerReferences
    .filter(({ kind }) => kind === api.microservices.kind)
    .map(({ name }) => ({ namespace, name }));
  return labelled === undefined ? referred : [labelled, ...referred];
}

function isKind(error: unknown, kind: ClusterError['kind']): boolean {
  return error instanceof ClusterError && error.kind === kind;
}
