import { desiredHashAnnotation } from '../api/labels.ts';
import type { KubeObject, Manifest } from '../api/object.ts';
import { sameQuantity } from './quantity.ts';

/**
 * Where a live object is not what was last asked for, as a path such as `spec.replicas`, or undefined when it is.
 * Everything that the manifest states has to be there; what the API server or somebody else added does not matter.
 * The hash among its annotations tells of what is no longer stated.
 */
export function driftOf(desired: Manifest, live: KubeObject): string | undefined {
  const { metadata, ...rest } = desired;
  const { labels, annotations, ownerReferences } = metadata;
  // The metadata last: with another hash, what differs beside it says more.
  const stated = { ...rest, metadata: { labels, annotations, ownerReferences } };
  return difference(stated, live, [])?.join('.');
}

/** The hash of the manifest that an object was made from, as it says itself. */
export function hashIn({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[desiredHashAnnotation];
}

type Path = readonly string[];

/** The lists that the API server merges item by item, and the fields by which it tells items apart. All others count as one value. */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  'metadata.ownerReferences': ['uid'],
  'spec.ports': ['port', 'protocol'],
  'spec.template.spec.containers': ['name'],
  'spec.template.spec.containers.env': ['name'],
  'spec.template.spec.containers.ports': ['containerPort', 'protocol'],
  'spec.template.spec.containers.volumeMounts': ['mountPath'],
  'spec.template.spec.hostAliases': ['ip'],
  'spec.template.spec.imagePullSecrets': ['name'],
  'spec.template.spec.initContainers': ['name'],
  'spec.template.spec.initContainers.env': ['name'],
  'spec.template.spec.initContainers.volumeMounts': ['mountPath'],
  'spec.template.spec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  'spec.template.spec.volumes': ['name'],
};

/** Of those, the lists in which nobody else has any business: an item that nobody asked for is drift too. */
const ownLists = new Set(['spec.ports', 'spec.template.spec.containers.ports']);

/** The maps of which the same holds: the content of a ConfigMap. */
const ownMaps = new Set(['data']);

function difference(desired: unknown, live: unknown, path: Path): Path | undefined {
  if (desired === undefined || desired === live) return undefined;
  if (Array.isArray(desired)) return listDifference(desired, live ?? [], path);
  if (isObject(desired)) return isObject(live) ? objectDifference(desired, live, path) : path;
  if (live === undefined) return isLeftOut(desired, path) ? undefined : path;
  return isQuantity(path) && sameQuantity(desired, live) ? undefined : path;
}

function objectDifference(
  desired: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>>,
  path: Path,
): Path | undefined {
  if (ownMaps.has(path.join('.')) && Object.keys(live).some((key) => !(key in desired))) return path;
  for (const key of Object.keys(desired)) {
    const found = difference(desired[key], live[key], [...path, key]);
    if (found) return found;
  }
  return undefined;
}

function listDifference(desired: readonly unknown[], live: unknown, path: Path): Path | undefined {
  if (!Array.isArray(live)) return path;
  const keys = listKeys[path.join('.')];
  const isExact = keys === undefined || ownLists.has(path.join('.'));
  if (isExact && live.length !== desired.length) return path;
  for (const [index, item] of desired.entries()) {
    const counterpart: unknown = keys ? live.find((other) => sameKeys(keys, item, other)) : live[index];
    if (counterpart === undefined) return path;
    const found = difference(item, counterpart, path);
    if (found) return found;
  }
  return undefined;
}

function sameKeys(keys: readonly string[], a: unknown, b: unknown): boolean {
  return isObject(a) && isObject(b) && keys.every((key) => a[key] === b[key]);
}

/** Values that the API server leaves out when it writes an object: empty text, false, and the zero of some numbers. */
function isLeftOut(desired: unknown, path: Path): boolean {
  const name = path.at(-1);
  if (desired === '') return true;
  if (desired === false) return name === 'readOnly';
  return desired === 0 && (name === 'initialDelaySeconds' || name === 'minReadySeconds');
}

/** Whether the API server reads the value at this path as an amount, and writes it in its own way. */
function isQuantity(path: Path): boolean {
  const [above, parent, name] = path.slice(-3);
  if (name === 'divisor' || name === 'sizeLimit') return true;
  if (parent === 'target') return name === 'averageValue' || name === 'value';
  return above === 'resources' && (parent === 'limits' || parent === 'requests');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
