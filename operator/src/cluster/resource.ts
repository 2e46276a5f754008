import { childKinds } from '../api/kinds.ts';
import { group } from '../api/labels.ts';
import type { KubeObject, Manifest, ObjectKey, ObjectRef } from '../api/object.ts';
import type { ApiRequest, Transport, Verb } from './transport.ts';

/** One kind of object and where the API server keeps it. Known beforehand: nothing is looked up while running. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Lists and watches give the metadata of objects and leave out what they hold. */
  readonly metadataOnly?: boolean;
}

export const microservices: Resource = {
  apiVersion: `${group}/v1alpha1`,
  kind: 'Microservice',
  plural: 'microservices',
};
export const pods: Resource = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };
export const secrets: Resource = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' };
export const leases: Resource = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' };
export const events: Resource = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events' };

const known: ReadonlyMap<string, Resource> = new Map(
  [microservices, ...childKinds, pods, secrets, leases, events].map((resource) => [resource.kind, resource]),
);

/**
 * The resource of a kind.
 * @throws TypeError for a kind that the operator has nothing to do with
 */
export function resourceOf(kind: string): Resource {
  const resource = known.get(kind);
  if (resource === undefined) throw new TypeError(`${kind} is not a kind that the operator works with`);
  return resource;
}

/** The same kind, of which lists and watches show nothing but metadata. */
export function metadataOf(kind: string): Resource {
  return { ...resourceOf(kind), metadataOnly: true };
}

export interface List {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Asks for the next page; undefined on the last one. */
  readonly next: string | undefined;
}

/** How many objects the API server is asked for at once. */
const pageSize = 500;

export interface ListOptions {
  /** Default: every namespace. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly next?: string | undefined;
}

/** One page of the objects of a kind. */
export async function list(
  transport: Transport,
  resource: Resource,
  { namespace, labelSelector, next }: ListOptions,
): Promise<List> {
  const query = { limit: String(pageSize), labelSelector, continue: next };
  const request = read('list', resource, pathOf(resource, { namespace }, query), { namespace });
  const accept = resource.metadataOnly ? metadataAs('PartialObjectMetadataList') : undefined;
  const answer = (await transport.call({ ...request, accept })) as {
    readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
    readonly items?: readonly Omit<KubeObject, 'apiVersion' | 'kind'>[];
  };
  const { apiVersion, kind } = resource;
  return {
    items: (answer.items ?? []).map((item) => ({ ...item, apiVersion, kind }) as KubeObject),
    resourceVersion: answer.metadata.resourceVersion,
    next: answer.metadata.continue || undefined,
  };
}

export interface WatchOptions {
  /** Default: every namespace. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly resourceVersion: string;
  /** The API server ends the watch after that many seconds. */
  readonly timeoutSeconds: number;
  /** The watch fails when nothing at all came for so long. */
  readonly inactivityMs: number;
  readonly signal: AbortSignal;
}

/** The changes of a kind, as the bytes that the API server sends. */
export function watch(transport: Transport, resource: Resource, options: WatchOptions): Promise<AsyncIterable<Buffer>> {
  const { namespace, labelSelector, resourceVersion, timeoutSeconds, inactivityMs, signal } = options;
  const path = pathOf(
    resource,
    { namespace },
    {
      watch: '1',
      allowWatchBookmarks: 'true',
      labelSelector,
      resourceVersion,
      timeoutSeconds: String(timeoutSeconds),
    },
  );
  const accept = resource.metadataOnly ? metadataAs('PartialObjectMetadata') : undefined;
  return transport.stream({ ...read('watch', resource, path, { namespace }), accept }, { inactivityMs, signal });
}

export async function get(transport: Transport, ref: ObjectRef): Promise<KubeObject> {
  const resource = resourceOf(ref.kind);
  return (await transport.call(read('get', resource, pathOf(resource, ref), ref))) as KubeObject;
}

export interface LogOptions {
  readonly container: string;
  /** Of the instance of the container before the one that runs, or ran last. */
  readonly previous: boolean;
  /** Whether what is written later comes as well, until the container ends. */
  readonly follow: boolean;
  /** Nothing older. The API server knows whole seconds only. */
  readonly since: Date;
  readonly inactivityMs: number;
  readonly signal: AbortSignal;
}

/** So much of a log is read ahead. What nobody takes stays in the file of the node. */
const logReadAhead = 16 * 1024;

/** The log of a container as its node keeps it, each line behind the moment at which it was written. */
export function readLog(transport: Transport, pod: ObjectKey, options: LogOptions): Promise<AsyncIterable<Buffer>> {
  const { container, previous, follow, since, inactivityMs, signal } = options;
  const query = {
    container,
    timestamps: 'true',
    previous: previous ? 'true' : undefined,
    follow: follow ? 'true' : undefined,
    sinceTime: since.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  const request = read('get', pods, pathOf(pods, pod, query, 'log'), pod);
  return transport.stream(
    { ...request, target: `log of ${container} of ${request.target}`, accept: 'application/json, */*' },
    { inactivityMs, signal, readAhead: logReadAhead },
  );
}

/** Server-side apply with force. */
export async function apply(
  transport: Transport,
  manifest: Manifest,
  { fieldManager }: { readonly fieldManager: string },
): Promise<KubeObject> {
  return (await transport.call(applyRequest('apply', manifest, fieldManager, true))) as KubeObject;
}

/**
 * A resourceVersion that no live object has: etcd's first revision, older than anything that can be stored. A
 * server-side apply that states it creates the object when there is none, and is refused (409) when there is one,
 * in one atomic step. A POST would be as atomic, but would make the fields those of an `Update`, which no later
 * server-side apply can take away again.
 */
const neverStored = '1';

/**
 * Server-side apply that only creates.
 * @throws ClusterError `conflict` when an object of that name is there
 */
export async function create(
  transport: Transport,
  manifest: Manifest,
  { fieldManager }: { readonly fieldManager: string },
): Promise<KubeObject> {
  const absent = { ...manifest, metadata: { ...manifest.metadata, resourceVersion: neverStored } };
  // Not repeatable: had the first attempt been carried out, the second would find its own object.
  return (await transport.call(applyRequest('create', absent, fieldManager, false))) as KubeObject;
}

function applyRequest(verb: Verb, manifest: Manifest, fieldManager: string, repeatable: boolean): ApiRequest {
  const resource = resourceOf(manifest.kind);
  return {
    verb,
    kind: resource.kind,
    target: targetOf(resource, manifest.metadata),
    method: 'PATCH',
    path: pathOf(resource, manifest.metadata, { fieldManager, force: 'true' }),
    contentType: 'application/apply-patch+yaml',
    body: manifest,
    repeatable,
  };
}

/** A JSON merge patch, of the object or of a subresource. Repeatable only because it states a resourceVersion. */
export async function patch(
  transport: Transport,
  object: KubeObject,
  body: unknown,
  { fieldManager, subresource }: { readonly fieldManager: string; readonly subresource?: 'status' },
): Promise<KubeObject> {
  const resource = resourceOf(object.kind);
  const target = targetOf(resource, object.metadata);
  const answer = await transport.call({
    verb: 'patch',
    kind: resource.kind,
    target: subresource === undefined ? target : `${subresource} of ${target}`,
    method: 'PATCH',
    path: pathOf(resource, object.metadata, { fieldManager }, subresource),
    contentType: 'application/merge-patch+json',
    body,
    repeatable: true,
  });
  return answer as KubeObject;
}

/** Deletes the object of that uid, and what it owns after it. */
export async function remove(transport: Transport, ref: ObjectRef & { readonly uid: string }): Promise<void> {
  const resource = resourceOf(ref.kind);
  await transport.call({
    verb: 'delete',
    kind: resource.kind,
    target: targetOf(resource, ref),
    method: 'DELETE',
    path: pathOf(resource, ref),
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: ref.uid },
      propagationPolicy: 'Background',
    },
    repeatable: true,
  });
}

export async function post(transport: Transport, object: KubeObject): Promise<void> {
  const resource = resourceOf(object.kind);
  await transport.call({
    verb: 'create',
    kind: resource.kind,
    target: targetOf(resource, object.metadata),
    method: 'POST',
    path: pathOf(resource, { namespace: object.metadata.namespace }),
    body: object,
    repeatable: false,
  });
}

/** Asks for metadata in place of whole objects. The second form is for refusals, which have no metadata. */
function metadataAs(kind: 'PartialObjectMetadata' | 'PartialObjectMetadataList'): string {
  return `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;
}

type Place = { readonly namespace?: string | undefined; readonly name?: string };

function read(verb: Verb, resource: Resource, path: string, place: Place = {}): ApiRequest {
  const { kind } = resource;
  return { verb, kind, target: targetOf(resource, place), method: 'GET', path, repeatable: true };
}

/** For people: `Deployment shop/orders`, or the plural where no object is named, and where. */
function targetOf({ kind, plural }: Resource, { namespace, name }: Place): string {
  if (name !== undefined) return `${kind} ${namespace}/${name}`;
  return namespace === undefined ? plural : `${plural} of namespace ${namespace}`;
}

function pathOf(
  { apiVersion, plural }: Resource,
  { namespace, name }: Place,
  query: Readonly<Record<string, string | undefined>> = {},
  subresource?: string,
): string {
  const parts = [
    apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`,
    ...(namespace === undefined ? [] : ['namespaces', encodeURIComponent(namespace)]),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  return search === '' ? parts.join('/') : `${parts.join('/')}?${search}`;
}
