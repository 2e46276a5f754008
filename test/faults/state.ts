import { desiredHashAnnotation } from '../../operator/src/api/labels.ts';
import type { Essence } from '../support/essence.ts';
import type { Wire } from '../support/kube-api.ts';

/** What every namespace has, whoever is in it. */
const cluster = new Set(['ConfigMap/kube-root-ca.crt', 'ServiceAccount/default']);

/** Notes for machines: the hash stands for uid and namespace too, the revision belongs to the Deployment's controller. */
const machineNotes: ReadonlySet<string> = new Set([desiredHashAnnotation, 'deployment.kubernetes.io/revision']);

/** Given by the API server, to each object its own. */
const given = new Set(['clusterIP', 'clusterIPs', 'healthCheckNodePort', 'lastTransitionTime', 'nodePort']);

/**
 * Everything that is in a namespace, without what is never the same twice: equal for two namespaces in which the same
 * was done. An entry for each object, by kind and name; of pods only how many there are and run, for each version.
 */
export function stateOf(objects: readonly Wire[], namespace: string): Essence {
  const uids = new Map<string, string>(
    objects.map(({ kind, metadata }) => [metadata.uid, `the ${kind} that is there`]),
  );
  const kept = objects.filter(({ kind, metadata }) => kind !== 'Pod' && !cluster.has(`${kind}/${metadata.name}`));
  const state = kept.map((object) => [`${object.kind}/${object.metadata.name}`, partsOf(object, uids)] as const);
  const texts = [...state, ['Pods', podsIn(objects)] as const].map(
    ([id, parts]) => [id, JSON.stringify(parts, inOrder).replaceAll(namespace, 'NAMESPACE')] as const,
  );
  return Object.fromEntries(texts);
}

/**
 * The state apart from versions of pods: those that are no longer asked for, and what they are called. A Deployment that is
 * made anew while the ReplicaSet of the one before is still on its way out calls the same version by another name.
 */
export function withoutVersions(state: Essence): Essence {
  const kept = Object.entries(state).filter(([id]) => !id.startsWith('ReplicaSet/'));
  return Object.fromEntries(kept.map(([id, text]) => [id, id === 'Pods' ? countsIn(text) : text]));
}

function countsIn(pods: string): string {
  const counts: readonly string[] = Object.values(JSON.parse(pods));
  return JSON.stringify(counts.toSorted((one, other) => (one < other ? -1 : 1)));
}

function partsOf(object: Wire, uids: ReadonlyMap<string, string>): unknown {
  const { metadata, spec, data, automountServiceAccountToken, status } = object;
  const owners = metadata.ownerReferences?.map(({ uid, ...owner }: Wire) => ({
    ...owner,
    is: uids.get(uid) ?? 'gone',
  }));
  return {
    labels: metadata.labels,
    annotations: withoutNotes(metadata.annotations),
    finalizers: metadata.finalizers,
    isGoing: metadata.deletionTimestamp !== undefined,
    owners,
    spec,
    data,
    automountServiceAccountToken,
    // The status of children is their controllers' to write.
    ...(object.kind === 'Microservice' && { status: inWords(status, metadata.generation) }),
  };
}

/** How often somebody changed the spec does not matter, but that the status is about the last change. */
function inWords(status: Wire, generation: number): unknown {
  const word = (seen: number) => (seen === generation ? 'the last' : `${seen} of ${generation}`);
  return JSON.parse(JSON.stringify(status ?? {}), (key, value) => (key === 'observedGeneration' ? word(value) : value));
}

function withoutNotes(annotations: Readonly<Record<string, string>> = {}) {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !machineNotes.has(key)));
}

function podsIn(objects: readonly Wire[]): Readonly<Record<string, string>> {
  const pods = objects.filter(({ kind, metadata }) => kind === 'Pod' && metadata.deletionTimestamp === undefined);
  const byVersion = Map.groupBy(pods, ({ metadata }) => String(metadata.labels?.['pod-template-hash']));
  return Object.fromEntries(
    [...byVersion].map(([version, of]) => [version, `${of.filter(isReady).length} of ${of.length} are ready`]),
  );
}

function isReady({ status }: Wire): boolean {
  return status.conditions?.some(({ type, status: is }: Wire) => type === 'Ready' && is === 'True') ?? false;
}

function inOrder(key: string, value: unknown): unknown {
  if (given.has(key)) return value === 'None' ? value : 'given';
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}
