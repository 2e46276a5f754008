import { pathFault } from './request-path.ts';

/** Where the path of a part gets a value from: a parameter of the route, or a field of what a part was answered with. */
export type Source = { readonly param: string } | { readonly part: string; readonly field: readonly string[] };

/** A segment of a path: as it is written, or a value from elsewhere. */
type Segment = string | Source;

function segmentsOf(path: string): readonly Segment[] {
  return path
    .split('/')
    .slice(1)
    .map((text) => {
      if (text.startsWith(':')) return { param: text.slice(1) };
      if (!text.startsWith('{')) return text;
      const [part = '', ...field] = text.slice(1, -1).split('.');
      return { part, field };
    });
}

/** All that the path of a part gets from elsewhere. */
export function sourcesOf(path: string): readonly Source[] {
  return segmentsOf(path).filter((it) => typeof it !== 'string');
}

/** The names of the parts whose answers the path needs. */
export function partsNeeded(path: string): readonly string[] {
  return [...new Set(sourcesOf(path).flatMap((it) => ('part' in it ? [it.part] : [])))];
}

export interface Values {
  readonly params: Readonly<Record<string, string | undefined>>;
  /** What the parts were answered with. */
  readonly parts: Readonly<Record<string, unknown>>;
}

/**
 * The path with its values. A value is one whole segment and stays one, whatever is in it.
 *
 * @throws Error that names what has no value, or none that can stand in a path
 */
export function partPath(path: string, values: Values): string {
  const filled = segmentsOf(path).map((it) => (typeof it === 'string' ? it : encoded(it, found(it, values))));
  return `/${filled.join('/')}`;
}

function found(source: Source, { params, parts }: Values): unknown {
  if ('param' in source) return params[source.param];
  return source.field.reduce<unknown>(
    (value, name) => (isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    parts[source.part],
  );
}

function encoded(source: Source, value: unknown): string {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const name = 'param' in source ? `:${source.param}` : [source.part, ...source.field].join('.');
  if (text === '' || text.length > 200 || !text.isWellFormed()) throw new Error(`${name} is no value for a path`);
  const segment = encodeURIComponent(text);
  if (pathFault(`/${segment}`) !== undefined) throw new Error(`${name} is no value for a path`);
  return segment;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
