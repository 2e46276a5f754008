import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { childKinds } from '../../operator/src/api/kinds.ts';
import { microservices, pods, type Resource } from '../../operator/src/cluster/resource.ts';
import { type Access, readKubeconfig, type Wire } from '../support/kube-api.ts';

/** A change that the API server has committed. */
export interface Sight {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Wire;
  /** One clock for all kinds: etcd's revision. */
  readonly version: bigint;
  /** When it was seen here, on the clock of `performance.now`. */
  readonly at: number;
}

interface WatchEvent {
  readonly type: Sight['type'] | 'BOOKMARK' | 'ERROR';
  readonly object: Wire;
}

/** Something may have happened that was not seen. */
class Gap extends Error {}

const replicaSets: Resource = { apiVersion: 'apps/v1', kind: 'ReplicaSet', plural: 'replicasets' };
const observed: readonly Resource[] = [microservices, ...childKinds, replicaSets, pods];

/** Longer than any run. */
const watchSeconds = 7_200;
const pauseMs = 100;

/** Watches the API server directly, past every fault: what it saw is what happened. */
export class Observer implements AsyncDisposable {
  readonly #access: Access;
  readonly #agent: Agent;
  readonly #ended = new AbortController();
  /** By namespace, and there by kind and name. */
  readonly #objects = new Map<string, Map<string, Wire>>();
  readonly #history = new Map<string, Sight[]>();
  /** The newest version that was seen of each kind. */
  readonly #seen = new Map<string, bigint>();
  readonly #onSight: (sight: Sight) => void;
  /** Why it stopped to see, if it did: nothing that it says after that is worth anything. */
  #failure: Error | undefined;

  private constructor(kubeconfig: string, onSight: (sight: Sight) => void) {
    this.#access = readKubeconfig(kubeconfig);
    this.#agent = new Agent({ connect: { ca: this.#access.ca }, allowH2: false, bodyTimeout: 0 });
    this.#onSight = onSight;
  }

  /** Starts one, and waits until it sees every kind. */
  static async start(kubeconfig: string, onSight: (sight: Sight) => void): Promise<Observer> {
    const observer = new Observer(kubeconfig, onSight);
    await Promise.all(observed.map((resource) => observer.#observe(resource)));
    return observer;
  }

  /** What there is in a namespace. */
  objects(namespace: string): readonly Wire[] {
    if (this.#failure !== undefined) throw this.#failure;
    return [...(this.#objects.get(namespace)?.values() ?? [])];
  }

  object(namespace: string, kind: string, name: string): Wire {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#objects.get(namespace)?.get(`${kind}/${name}`);
  }

  /** How many changes were seen in a namespace: the same number, the same objects. */
  changes(namespace: string): number {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#history.get(namespace)?.length ?? 0;
  }

  /** What was seen in a namespace after so many changes. */
  sightsSince(namespace: string, changes: number): readonly Sight[] {
    return this.#history.get(namespace)?.slice(changes) ?? [];
  }

  /** Everything that happened in a namespace, in its order. */
  history(namespace: string): readonly Sight[] {
    return (this.#history.get(namespace) ?? []).toSorted((a, b) => (a.version < b.version ? -1 : 1));
  }

  /** Whether this version of the kind was seen, or a later one. */
  hasSeen(kind: string, version: bigint): boolean {
    return (this.#seen.get(kind) ?? 0n) >= version;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#agent.destroy();
  }

  async #observe(resource: Resource): Promise<void> {
    const { apiVersion, plural } = resource;
    const path = `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/${plural}`;
    const list = (await (await this.#ask(path)).json()) as Wire;
    const version: string = list.metadata.resourceVersion;
    for (const object of list.items) this.#see(resource, { type: 'ADDED', object });
    this.#seen.set(resource.kind, BigInt(version));
    const first = await this.#watch(resource, path);
    this.#follow(resource, path, first).catch((error: unknown) => {
      if (this.#ended.signal.aborted) return;
      this.#failure = new Error(`${plural} are not seen any more: ${String(error)}`, { cause: error });
    });
  }

  /** What comes after that which was seen last. */
  #watch({ kind }: Resource, path: string): Promise<Readable> {
    const since = `resourceVersion=${this.#seen.get(kind)}&allowWatchBookmarks=true`;
    return this.#ask(`${path}?watch=1&${since}&timeoutSeconds=${watchSeconds}`);
  }

  async #ask(path: string) {
    const { body, statusCode } = await request(this.#access.server + path, {
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#access.token}` },
      signal: this.#ended.signal,
    });
    if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode} ${await body.text()}`);
    return body;
  }

  /**
   * Sees for as long as this lasts. The API server hangs up on whoever does not read for a moment; then it goes on after
   * what was seen last, so that nothing is missed. @throws Error when that is no longer possible
   */
  async #follow(resource: Resource, path: string, first: Readable): Promise<void> {
    for (let body = first; ; body = await this.#watch(resource, path)) {
      await this.#read(resource, body).catch((error: unknown) => {
        if (error instanceof Gap) throw error;
      });
      await sleep(pauseMs, undefined, { signal: this.#ended.signal });
    }
  }

  async #read(resource: Resource, body: Readable): Promise<void> {
    for await (const line of createInterface({ input: body })) this.#see(resource, JSON.parse(line));
  }

  #see({ kind, apiVersion }: Resource, { type, object }: WatchEvent): void {
    if (type === 'ERROR') throw new Gap(object.message);
    const version = BigInt(object.metadata.resourceVersion);
    this.#seen.set(kind, version);
    if (type === 'BOOKMARK') return;
    const { managedFields: _, ...metadata } = object.metadata;
    const sight: Sight = { type, object: { ...object, apiVersion, kind, metadata }, version, at: performance.now() };
    const { namespace, name } = metadata;
    const objects = this.#objects.get(namespace) ?? new Map<string, Wire>();
    this.#objects.set(namespace, objects);
    if (type === 'DELETED') objects.delete(`${kind}/${name}`);
    else objects.set(`${kind}/${name}`, sight.object);
    const history = this.#history.get(namespace) ?? [];
    this.#history.set(namespace, history);
    history.push(sight);
    this.#onSight(sight);
  }
}
