import { randomBytes } from 'node:crypto';
import { childKinds } from '../api/kinds.ts';
import { fieldManager, group, managedBy, managedByLabel, microserviceLabel } from '../api/labels.ts';
import type { KubeObject, Manifest, ObjectKey, ObjectRef } from '../api/object.ts';
import type { ContentRef, Digests } from '../desired/content.ts';
import type { Log } from '../support/log.ts';
import { microTime } from '../support/micro-time.ts';
import type { Cluster, ClusterEvent } from './cluster.ts';
import type { ContentKey } from './content-key.ts';
import { type ContentKind, Contents } from './contents.ts';
import { ClusterError } from './errors.ts';
import { onVersionOf, replacing } from './merge-patch.ts';
import { Reflector } from './reflector.ts';
import * as api from './resource.ts';
import { type Change, idOf, Store, trimmed, trimmedPod, trimmedToVersion } from './store.ts';
import type { Transport } from './transport.ts';
import { type Part, Watched } from './watched.ts';

export interface KubeClusterOptions {
  readonly transport: Transport;
  readonly log: Log;
  /** The namespaces that are watched. Default: all. */
  readonly namespaces?: readonly string[] | undefined;
  /** Told about every Microservice that something changed for: itself, a child, a pod, content that it uses. */
  readonly onChange: (microservice: ObjectKey) => void;
  readonly onWatchRestart?: (kind: string, reason: 'expired' | 'failed') => void;
  readonly onEventDropped?: () => void;
  /** Names this process in events. */
  readonly instance: string;
  /** The key of the digests of Secrets, started and stopped here. Without one no Secret is watched or read. */
  readonly contentKey?: ContentKey | undefined;
  /** See ReflectorOptions. */
  readonly inactivityMs?: number;
}

/**
 * Owner of what a patch wrote. Not the manager that applies: what one manager both patched and applied, no apply of
 * his could take away again.
 */
const repairFieldManager = `${fieldManager}-repair`;

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
  /** Names and versions of what may hold content that pods use. */
  readonly #holders: ReadonlyMap<ContentKind, Watched>;
  readonly #contents: Contents;
  readonly #contentKey: ContentKey | undefined;
  /** Our last writes that memory has not shown yet, by Microservice. */
  readonly #expected = new Map<string, Expected[]>();
  #eventsUnderWay = 0;

  constructor(options: KubeClusterOptions) {
    this.#options = options;
    this.#microservices = this.#watch(api.microservices, undefined);
    this.#pods = this.#watch(api.pods, microserviceLabel, { trim: trimmedPod });
    const children = childKinds.map(
      (child) => [child.kind, this.#watch(child, `${managedByLabel}=${managedBy}`)] as const,
    );
    this.#children = children.map(([, watched]) => watched);
    this.#contentKey = options.contentKey;
    this.#contents = this.#openContents();
    const kinds: readonly ContentKind[] = this.#contentKey === undefined ? ['ConfigMap'] : ['ConfigMap', 'Secret'];
    this.#holders = new Map(kinds.map((kind) => [kind, this.#watchVersions(kind)]));
    this.#watched = new Map([
      [api.microservices.kind, this.#microservices],
      [api.pods.kind, this.#pods],
      ...children,
      ...[...this.#holders].map(([kind, watched]) => [`metadata of ${kind}`, watched] as const),
    ]);
  }

  // --- life ---

  /** Starts to fill memory; see `firstSync`. */
  start(): void {
    this.#contentKey?.start();
    for (const watched of this.#watched.values()) watched.start();
  }

  /** Ends all watches. Memory stays as it is. */
  async stop(): Promise<void> {
    this.#contents.stop();
    await Promise.all([...[...this.#watched.values()].map((watched) => watched.stop()), this.#contentKey?.stop()]);
  }

  /** Resolves when memory holds every kind for the first time, and all that is needed to make sense of it. */
  async firstSync(): Promise<void> {
    await Promise.all([...[...this.#watched.values()].map((watched) => watched.firstSync()), this.#contentKey?.found]);
  }

  /** The kinds of which memory is not complete at the moment. */
  get unsynced(): string[] {
    const kinds = [...this.#watched].filter(([, { synced }]) => !synced).map(([kind]) => kind);
    return this.#contentKey?.isKnown === false ? [...kinds, 'the key of the digests of Secrets'] : kinds;
  }

  /** Milliseconds since anything happened on the watch of each kind. */
  get idleMs(): readonly (readonly [kind: string, ms: number])[] {
    return [...this.#watched].map(([kind, { idleMs }]) => [kind, idleMs] as const);
  }

  /** Every Microservice that memory holds. */
  microservices(): readonly KubeObject[] {
    return this.#microservices.all();
  }

  // --- reads, from memory ---

  microservice(key: ObjectKey): KubeObject | undefined {
    return this.#microservices.get(key);
  }

  children(key: ObjectKey): readonly KubeObject[] {
    return this.#children.flatMap((watched) => watched.of(key));
  }

  pods(key: ObjectKey): readonly KubeObject[] {
    return this.#pods.of(key);
  }

  contents(key: ObjectKey, refs: readonly ContentRef[]): Digests | undefined {
    return this.#contents.contents(key, refs);
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
    const watched = this.#watched.get(ref.kind);
    const owner = ownerOf(watched?.get(ref));
    try {
      await api.remove(this.#options.transport, ref);
    } catch (error) {
      // In conflict: an object of that name is there, but it is another one. Either way, that very one is gone.
      if (!isKind(error, 'gone') && !isKind(error, 'conflict')) throw error;
    }
    this.#await(owner, `delete ${ref.kind} ${idOf(ref)}`, () => {
      const left = watched?.get(ref)?.metadata;
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

  #watch(
    resource: api.Resource,
    labelSelector: string | undefined,
    { trim = trimmed, onChange = (change: Change) => this.#changed(resource, change) } = {},
  ): Watched {
    const { transport, log, namespaces = [undefined], onWatchRestart, inactivityMs } = this.#options;
    const part = (namespace: string | undefined): Part => {
      const store = new Store();
      const reflector = new Reflector({
        transport,
        resource,
        namespace,
        labelSelector,
        trim,
        store,
        log,
        onChange,
        onRestart: (reason) => onWatchRestart?.(resource.kind, reason),
        ...(inactivityMs !== undefined && { inactivityMs }),
      });
      return { store, reflector };
    };
    return new Watched(new Map(namespaces.map((namespace) => [namespace, part(namespace)])));
  }

  /** Every object of a kind, with nothing of it but its name and version. */
  #watchVersions(kind: ContentKind): Watched {
    return this.#watch(api.metadataOf(kind), undefined, {
      trim: trimmedToVersion,
      onChange: ({ before, after }) => {
        const object = after ?? before;
        if (object !== undefined) this.#contents.changed(kind, object.metadata);
      },
    });
  }

  #openContents(): Contents {
    const { log, onChange } = this.#options;
    return new Contents({
      fetch: (ref) => this.read(ref),
      lookUp: (kind, key) => this.#holder(kind).get(key)?.metadata,
      secretKey: () => {
        if (this.#contentKey === undefined) throw new TypeError('no Secret is to be read');
        return this.#contentKey.bytes;
      },
      onChange,
      log,
    });
  }

  #holder(kind: ContentKind): Watched {
    const holder = this.#holders.get(kind);
    if (holder === undefined) throw new TypeError(`the content of a ${kind} is not to be read`);
    return holder;
  }

  /** Whoever the object belongs to now, or belonged to before somebody changed its labels, hears of the change. */
  #changed(resource: api.Resource, { before, after }: Change): void {
    if (resource === api.microservices && before && !after) this.#contents.forget(before.metadata);
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
    const watched = this.#watched.get(kind);
    if (watched === undefined || resourceVersion === undefined) return;
    this.#await(owner, `${kind} ${idOf(metadata)}`, () => watched.hasSeen(metadata, resourceVersion));
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
      eventTime: microTime(new Date()),
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
