import type { KubeObject } from '../api/object.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The JSON merge patch that makes `after` out of `before`: a field that is to disappear has to be named, as null. */
export function replacing(before: unknown, after: unknown): unknown {
  if (!isFields(before) || !isFields(after)) return after;
  const gone = Object.keys(before).filter((name) => after[name] === undefined);
  return {
    ...Object.fromEntries(gone.map((name) => [name, null])),
    ...Object.fromEntries(Object.entries(after).map(([name, value]) => [name, replacing(before[name], value)])),
  };
}

/** A patch for the version that it was decided for, and never for a later object of the same name. */
export function onVersionOf({ metadata: { resourceVersion } }: KubeObject, patch: unknown): object {
  return { ...(patch as object), metadata: { resourceVersion } };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
