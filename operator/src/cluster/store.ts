import { microserviceLabel } from '../api/labels.ts';
import type { KubeObject, ObjectKey } from '../api/object.ts';

/** One text for one key: `namespace/name`. Neither part can hold a slash. */
export function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}

export function keyOf(id: string): ObjectKey {
  const slash = id.indexOf('/');
  return { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}

/** An object as it was and as it is; the absent one of the two says that it came or went. */
export interface Change {
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/** The objects of one kind, as far as watches have told, by name and by the Microservice that their label names. */
export class Store {
  readonly #objects = new Map<string, KubeObject>();
  readonly #byMicroservice = new Map<string, Map<string, KubeObject>>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): KubeObject | undefined {
    return this.#objects.get(idOf(key));
  }

  all(): Iterable<KubeObject> {
    return this.#objects.values();
  }

  /** The objects whose label names that Microservice. */
  of(microservice: ObjectKey): KubeObject[] {
    return [...(this.#byMicroservice.get(idOf(microservice))?.values() ?? [])];
  }

  put(object: KubeObject): Change {
    const id = idOf(object.metadata);
    const before = this.#objects.get(id);
    if (before !== undefined) this.#unindex(id, before);
    this.#objects.set(id, object);
    this.#index(id, object);
    return { before, after: object };
  }

  delete(key: ObjectKey): Change {
    const id = idOf(key);
    const before = this.#objects.get(id);
    if (before !== undefined) this.#unindex(id, before);
    this.#objects.delete(id);
    return { before, after: undefined };
  }

  /** Takes a complete list for the truth; gives what is different from before. */
  replace(objects: readonly KubeObject[]): Change[] {
    const listed = new Set(objects.map((object) => idOf(object.metadata)));
    const gone = [...this.#objects.values()].filter((object) => !listed.has(idOf(object.metadata)));
    const changes = [
      ...gone.map((object) => this.delete(object.metadata)),
      ...objects.map((object) => this.put(object)),
    ];
    return changes.filter(({ before, after }) => !isSameVersion(before, after));
  }

  #index(id: string, object: KubeObject): void {
    const owner = microserviceOf(object);
    if (owner === undefined) return;
    const siblings = this.#byMicroservice.get(owner) ?? new Map<string, KubeObject>();
    this.#byMicroservice.set(owner, siblings.set(id, object));
  }

  #unindex(id: string, object: KubeObject): void {
    const owner = microserviceOf(object);
    const siblings = owner === undefined ? undefined : this.#byMicroservice.get(owner);
    if (owner === undefined || siblings === undefined) return;
    siblings.delete(id);
    if (siblings.size === 0) this.#byMicroservice.delete(owner);
  }
}

/** The id of the Microservice that an object's label names. */
function microserviceOf({ metadata }: KubeObject): string | undefined {
  const name = metadata.labels?.[microserviceLabel];
  return name === undefined ? undefined : idOf({ namespace: metadata.namespace, name });
}

function isSameVersion(a: KubeObject | undefined, b: KubeObject | undefined): boolean {
  return a?.metadata.uid === b?.metadata.uid && a?.metadata.resourceVersion === b?.metadata.resourceVersion;
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object without what nobody here reads and what makes up most of its size: who owns which field. */
export function trimmed(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject['metadata'] & {
    readonly managedFields?: unknown;
  };
  if (metadata.annotations === undefined || !Object.hasOwn(metadata.annotations, lastApplied)) {
    return { ...object, metadata };
  }
  const { [lastApplied]: __, ...annotations } = metadata.annotations;
  return { ...object, metadata: { ...metadata, annotations } };
}

/** What names an object and tells its versions apart. */
export function trimmedToVersion({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { namespace, name, uid, resourceVersion } = metadata;
  const version = { namespace, name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  return { apiVersion, kind, metadata: version };
}

/** A pod without what it was asked to be: its status tells how it fares, and its spec may hold secrets. */
export function trimmedPod(whole: KubeObject): KubeObject {
  const { spec: _, ...pod } = whole;
  return trimmed(pod);
}
