import { childKinds } from '../../operator/src/api/kinds.ts';
import { managedBy, managedByLabel } from '../../operator/src/api/labels.ts';
import type { KubeObject, ObjectKey } from '../../operator/src/api/object.ts';
import { Reflector } from '../../operator/src/cluster/reflector.ts';
import { microservices, type Resource } from '../../operator/src/cluster/resource.ts';
import { type Change, idOf, Store } from '../../operator/src/cluster/store.ts';
import type { Transport } from '../../operator/src/cluster/transport.ts';
import type { Log } from '../../operator/src/support/log.ts';

/** Objects of one kind, and what they are waited to be. */
export interface Expectation {
  readonly kind: string;
  readonly keys: readonly ObjectKey[];
  readonly isSo: (object: KubeObject) => boolean;
}

type Listener = (kind: string, object: KubeObject) => void;

const longestMs = 120_000;
/** Longer than a measurement: the API server says nothing on the watch of a kind of which it has not seen a change yet. */
const inactivityMs = 3_600_000;

/** Trouble with these watches falsifies what is measured, so it is told. */
const tell = (keys: object, message: string) => console.error('a watch from outside:', message, keys);
const keepQuiet = (_keys: object, _message: string) => undefined;
const log = { debug: keepQuiet, info: keepQuiet, warn: tell, error: tell } as Log;

/** What somebody sees who watches Microservices and their children with watches of his own, and when he sees it. */
export class Outside implements AsyncDisposable {
  /** Changes seen so far, whoever made them. */
  changes = 0;
  readonly #watched: ReadonlyMap<string, { readonly store: Store; readonly reflector: Reflector }>;
  readonly #listeners = new Set<Listener>();

  private constructor(transport: Transport) {
    const watch = (resource: Resource, labelSelector?: string) => {
      const store = new Store();
      const onChange = (change: Change) => this.#changed(resource.kind, change);
      const trim = (object: KubeObject) => object;
      return {
        store,
        reflector: new Reflector({ transport, resource, labelSelector, store, trim, log, onChange, inactivityMs }),
      };
    };
    this.#watched = new Map([
      [microservices.kind, watch(microservices)],
      ...childKinds.map((resource) => [resource.kind, watch(resource, `${managedByLabel}=${managedBy}`)] as const),
    ]);
  }

  /** Opens the watches and waits until they show everything. */
  static async open(transport: Transport): Promise<Outside> {
    const outside = new Outside(transport);
    const reflectors = [...outside.#watched.values()].map(({ reflector }) => reflector);
    for (const reflector of reflectors) reflector.start();
    await Promise.all(reflectors.map(({ firstSync }) => firstSync));
    return outside;
  }

  /** @throws Error when it was not seen */
  object(kind: string, key: ObjectKey): KubeObject {
    const object = this.#watched.get(kind)?.store.get(key);
    if (object === undefined) throw new Error(`no ${kind} ${idOf(key)} was seen`);
    return object;
  }

  /** How many objects of a kind there are in a namespace. */
  count(kind: string, namespace: string): number {
    const objects = [...(this.#watched.get(kind)?.store.all() ?? [])];
    return objects.filter(({ metadata }) => metadata.namespace === namespace).length;
  }

  /**
   * Waits until each of the objects was seen to be so; gives the time, on the clock of `performance.now`, of the last.
   * @throws Error naming what was waited for, and how many objects lack it
   */
  async sees(what: string, { kind, keys, isSo }: Expectation, withinMs = longestMs): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const store = this.#watched.get(kind)?.store;
    const isSeen = (object: KubeObject | undefined) => object !== undefined && isSo(object);
    const missing = new Set(keys.filter((key) => !isSeen(store?.get(key))).map(idOf));
    const end = () => {
      if (missing.size === 0) resolve(performance.now());
    };
    const listener: Listener = (of, object) => {
      if (of !== kind || !missing.has(idOf(object.metadata)) || !isSo(object)) return;
      missing.delete(idOf(object.metadata));
      end();
    };
    const late = setTimeout(() => {
      const [first] = missing;
      reject(new Error(`waited ${withinMs / 1000} s for ${what}; ${missing.size} are missing, such as ${first}`));
    }, withinMs);
    this.#listeners.add(listener);
    end();
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#listeners.delete(listener);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ reflector }) => reflector.stop()));
  }

  #changed(kind: string, { after }: Change): void {
    this.changes += 1;
    if (after === undefined) return;
    for (const listener of this.#listeners) listener(kind, after);
  }
}
