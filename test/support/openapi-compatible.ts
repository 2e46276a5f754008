import { isDeepStrictEqual } from 'node:util';
import type { Answer, Content, Contract, Operation, Parameter, Schema } from './openapi.ts';

/**
 * What in `current` would break somebody who relies on `released`, a sentence each; none when it is compatible. Callers
 * are taken to send anything that was allowed, and to read anything that was promised and nothing else. New operations,
 * optional parameters and fields, and new kinds of refusals are harmless.
 */
export function breaks(released: Contract, current: Contract): readonly string[] {
  return Object.entries(released).flatMap(([name, before]) => {
    const now = current[name];
    return now === undefined ? [`${name} is gone`] : operationBreaks(name, before, now);
  });
}

function operationBreaks(name: string, before: Operation, now: Operation): readonly string[] {
  const bodyNow = now.requestBody;
  const bodyBefore = before.requestBody;
  return [
    ...parameterBreaks(name, before.parameters ?? [], now.parameters ?? []),
    ...(bodyNow?.required === true && bodyBefore?.required !== true ? [`${name}: a body is required now`] : []),
    ...contentBreaks(`${name}: the body`, bodyBefore?.content, bodyNow?.content, 'sent'),
    ...Object.entries(before.responses).flatMap(([status, answer]) =>
      answerBreaks(`${name} ${status}`, answer, now.responses[status]),
    ),
    ...Object.keys(now.responses)
      .filter((status) => status < '400' && !(status in before.responses))
      .map((status) => `${name} ${status} is a success that nobody expects`),
  ];
}

function parameterBreaks(name: string, before: readonly Parameter[], now: readonly Parameter[]): readonly string[] {
  const same = (a: Parameter) => (b: Parameter) => a.in === b.in && a.name.toLowerCase() === b.name.toLowerCase();
  return [
    ...before.flatMap((it) => {
      const kept = now.find(same(it));
      if (kept === undefined) return [`${name}: the parameter ${it.name} is gone`];
      return schemaBreaks(`${name}: the parameter ${it.name}`, it.schema, kept.schema, 'sent');
    }),
    ...now
      .filter((it) => it.required === true && before.find(same(it))?.required !== true)
      .map((it) => `${name}: the parameter ${it.name} is required now`),
  ];
}

function answerBreaks(at: string, before: Answer, now: Answer | undefined): readonly string[] {
  if (now === undefined) return [`${at} is gone`];
  const headers = Object.entries(before.headers ?? {}).flatMap(([name, header]) => {
    const kept = now.headers?.[name];
    if (kept === undefined) return [`${at}: the header ${name} is gone`];
    const lost = header.required === true && kept.required !== true;
    return [
      ...(lost ? [`${at}: the header ${name} is not always there now`] : []),
      ...schemaBreaks(`${at}: the header ${name}`, header.schema, kept.schema, 'answered'),
    ];
  });
  const added = Object.keys(now.content ?? {}).filter((type) => before.content?.[type] === undefined);
  return [
    ...headers,
    ...contentBreaks(at, before.content, now.content, 'answered'),
    ...added.map((type) => `${at}: ${type} is a media type that nobody expects`),
  ];
}

/** Who must be content: with what is sent it is the service, with what is answered the caller. */
type Direction = 'sent' | 'answered';

function contentBreaks(
  at: string,
  before: Content | undefined,
  now: Content | undefined,
  direction: Direction,
): readonly string[] {
  return Object.entries(before ?? {}).flatMap(([type, { schema }]) => {
    const kept = now?.[type];
    return kept === undefined ? [`${at}: ${type} is gone`] : schemaBreaks(at, schema, kept.schema, direction);
  });
}

const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const annotations = ['title', 'description', 'default', 'example', 'examples', 'deprecated', 'readOnly', 'writeOnly'];
const judged = ['type', 'const', 'enum', 'required', 'properties', 'additionalProperties', 'items', 'allOf'];

/** Whether every value of one schema is a value of the other: of what was allowed before, or of what is given now. */
export function schemaBreaks(at: string, before: Schema, now: Schema, direction: Direction): readonly string[] {
  const [b, n] = [merged(before), merged(now)];
  const [inner, outer] = direction === 'sent' ? [b, n] : [n, b];
  const changed = (keyword: string) =>
    `${at}: ${keyword} was ${JSON.stringify(b[keyword])} and is ${JSON.stringify(n[keyword])}`;
  const others = Object.keys(outer).filter(
    (it) => ![...judged, ...annotations, ...lowerBounds, ...upperBounds].includes(it),
  );
  return [
    ...(typesFit(inner, outer) ? [] : [changed('type')]),
    ...(valuesFit(inner, outer) ? [] : [changed('enum' in outer ? 'enum' : 'const')]),
    ...lowerBounds.filter((it) => it in outer && !(Number(inner[it]) >= Number(outer[it]))).map(changed),
    ...upperBounds.filter((it) => it in outer && !(Number(inner[it]) <= Number(outer[it]))).map(changed),
    // Whether one pattern is within another is not for us to say: only the same one is safe.
    ...others.filter((it) => !isDeepStrictEqual(inner[it], outer[it])).map(changed),
    ...(outer.required ?? [])
      .filter((field) => inner.required?.includes(field) !== true)
      .map((field) => `${at}: ${field} is ${direction === 'sent' ? 'required now' : 'not always there now'}`),
    ...fieldBreaks(at, b, n, direction),
    ...(outer.items === undefined ? [] : schemaBreaks(`${at}[]`, b.items ?? {}, n.items ?? {}, direction)),
  ];
}

function fieldBreaks(at: string, before: Schema, now: Schema, direction: Direction): readonly string[] {
  const [inner, outer] = direction === 'sent' ? [before, now] : [now, before];
  const closed = outer.additionalProperties === false;
  const fresh = Object.keys(now.properties ?? {}).filter((field) => before.properties?.[field] === undefined);
  return [
    ...Object.entries(before.properties ?? {}).flatMap(([field, schema]) => {
      const kept = now.properties?.[field];
      return kept === undefined ? [`${at}: ${field} is gone`] : schemaBreaks(`${at}.${field}`, schema, kept, direction);
    }),
    ...(closed && inner.additionalProperties !== false ? [`${at}: other fields are refused now`] : []),
    ...(closed && direction === 'answered' ? fresh.map((field) => `${at}: nobody expects ${field}`) : []),
  ];
}

function typesFit(inner: Schema, outer: Schema): boolean {
  if (outer.type === undefined) return true;
  if (inner.type === undefined) return false;
  const allowed = [outer.type].flat();
  return [inner.type].flat().every((it) => allowed.includes(it) || (it === 'integer' && allowed.includes('number')));
}

function valuesFit(inner: Schema, outer: Schema): boolean {
  const allowed = valuesOf(outer);
  if (allowed === undefined) return true;
  return valuesOf(inner)?.every((value) => allowed.some((it) => isDeepStrictEqual(it, value))) === true;
}

function valuesOf(schema: Schema): readonly unknown[] | undefined {
  return 'const' in schema ? [schema.const] : (schema.enum as readonly unknown[] | undefined);
}

/** The schema with its `allOf` in it, which here only add fields. */
function merged({ allOf = [], ...own }: Schema): Schema {
  const parts = [...allOf.map(merged), own];
  return {
    ...Object.fromEntries(parts.flatMap((it) => Object.entries(it))),
    required: parts.flatMap(({ required = [] }) => required),
    properties: Object.fromEntries(parts.flatMap(({ properties = {} }) => Object.entries(properties))),
  };
}
