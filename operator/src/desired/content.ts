import type { EnvFromSource, EnvVar, Microservice, Volume } from '../api/microservice.generated.ts';
import { hashOf } from './hash.ts';

/** Content of an object of the namespace that pods use, and that they are replaced for when it changes. */
export interface ContentRef {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** The keys in use, in order; undefined for all of them. */
  readonly keys?: readonly string[];
  readonly optional: boolean;
}

interface Asked {
  readonly optional?: boolean;
  readonly onChange?: 'Rollout' | 'None';
}

/** Every reference to content in a Microservice, but those that opted out with `onChange: None`; each once, in order. */
export function contentRefs({ spec }: Microservice): readonly ContentRef[] {
  const containers = [spec, ...(spec.initContainers ?? [])];
  const refs = [
    ...containers.flatMap(({ env = [] }) => env.flatMap(ofVariable)),
    ...containers.flatMap(({ envFrom = [] }) => envFrom.flatMap(ofEnvironment)),
    ...(spec.volumes ?? []).flatMap(ofVolume),
  ];
  const distinct = new Map(refs.map((ref) => [JSON.stringify([ref.kind, ref.name, ref.keys, ref.optional]), ref]));
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ref]) => ref);
}

function ofVariable({ valueFrom }: EnvVar): ContentRef[] {
  const { configMapKeyRef: map, secretKeyRef: secret } = valueFrom ?? {};
  return [
    ...(map ? reference('ConfigMap', map.name, map, [map.key]) : []),
    ...(secret ? reference('Secret', secret.name, secret, [secret.key]) : []),
  ];
}

function ofEnvironment({ configMapRef, secretRef }: EnvFromSource): ContentRef[] {
  return [
    ...(configMapRef ? reference('ConfigMap', configMapRef.name, configMapRef) : []),
    ...(secretRef ? reference('Secret', secretRef.name, secretRef) : []),
  ];
}

function ofVolume({ configMap, secret, projected }: Volume): ContentRef[] {
  return [
    ...(configMap ? reference('ConfigMap', configMap.name, configMap, keysOf(configMap)) : []),
    ...(secret ? reference('Secret', secret.secretName, secret, keysOf(secret)) : []),
    ...(projected?.sources ?? []).flatMap((source) => [
      ...(source.configMap
        ? reference('ConfigMap', source.configMap.name, source.configMap, keysOf(source.configMap))
        : []),
      ...(source.secret ? reference('Secret', source.secret.name, source.secret, keysOf(source.secret)) : []),
    ]),
  ];
}

function keysOf({ items }: { readonly items?: readonly { readonly key: string }[] }): readonly string[] | undefined {
  return items?.length ? items.map(({ key }) => key).toSorted() : undefined;
}

function reference(
  kind: ContentRef['kind'],
  name: string,
  { optional = false, onChange = 'Rollout' }: Asked,
  keys?: readonly string[],
): ContentRef[] {
  return onChange === 'None' ? [] : [{ kind, name, optional, ...(keys && { keys }) }];
}

/** What is not there: the object, or one of the keys in use. */
export const absent = 'absent';

/** What could not be read, though it is tried again. */
export const unread = 'unread';

/** Content in use: one digest, `absent` or `unread` for each reference, in the same order. */
export type Digests = readonly string[];

/**
 * What stands for all content that the pods use, `spec.config` included: another content, another mark, other pods.
 * Undefined when they use none. While something that is needed is missing, or cannot be read, the mark stays as it was:
 * new pods could not start, and those that run go on.
 */
export function contentMark(
  { spec: { config } }: Microservice,
  refs: readonly ContentRef[],
  digests: Digests,
  before: string | undefined,
): string | undefined {
  const own = config?.onChange === 'None' ? undefined : config?.data;
  if (own === undefined && refs.length === 0) return undefined;
  if (digests.includes(unread) || missingContent(refs, digests).length > 0) return before;
  return hashOf({ own, used: refs.map(({ kind, name, keys }, index) => ({ kind, name, keys, is: digests[index] })) });
}

/** The references that are needed and lead to nothing. */
export function missingContent(refs: readonly ContentRef[], digests: Digests): readonly ContentRef[] {
  return refs.filter(({ optional }, index) => !optional && digests[index] === absent);
}
