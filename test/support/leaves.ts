import type { Schema } from '../../operator/generate.ts';

/** A value that a schema speaks about: where in the schema, and where in the spec that holds it. */
export interface Leaf {
  /** `[]` is any item of a list, `{}` any value of a map. */
  readonly path: string;
  readonly schema: Schema;
  readonly at: readonly (string | number)[];
  readonly value: unknown;
}

/** The path of every value that a schema speaks about. */
export function leafPaths(schema: Schema, path = ''): string[] {
  if (schema.items) return leafPaths(schema.items, `${path}[]`);
  if (schema.additionalProperties) return leafPaths(schema.additionalProperties, `${path}{}`);
  if (schema.properties === undefined) return [path];
  return Object.entries(schema.properties).flatMap(([name, field]) => leafPaths(field, below(path, name)));
}

/** Every value that is set in a spec. An empty list, map or object holds none. */
export function leavesIn(value: unknown, schema: Schema, path = '', at: Leaf['at'] = []): Leaf[] {
  const { items, additionalProperties, properties } = schema;
  if (Array.isArray(value) && items) {
    return value.flatMap((item, index) => leavesIn(item, items, `${path}[]`, [...at, index]));
  }
  if (typeof value !== 'object' || value === null) return [{ path, schema, at, value }];
  return Object.entries(value).flatMap(([name, field]) => {
    if (additionalProperties) return leavesIn(field, additionalProperties, `${path}{}`, [...at, name]);
    const known = properties?.[name];
    if (known === undefined) throw new Error(`the schema does not know ${below(path, name)}`);
    return leavesIn(field, known, below(path, name), [...at, name]);
  });
}

/** A copy of `value` with another part at one place, or without that part. */
export function withPart<T>(value: T, at: Leaf['at'], part: unknown): T {
  const [key, ...rest] = at;
  if (key === undefined) return part as T;
  if (Array.isArray(value)) {
    const index = Number(key);
    const items = [...value];
    if (rest.length === 0 && part === undefined) items.splice(index, 1);
    else items[index] = withPart(items[index], rest, part);
    return items as T;
  }
  const { [key]: old, ...others } = value as Record<string | number, unknown>;
  if (rest.length === 0 && part === undefined) return others as T;
  // The order of keys stays as it was.
  return { ...(value as object), [key]: withPart(old, rest, part) } as T;
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
