import { type FieldError, faults, fieldsOf, Problem, requireNone, unknownFields } from '@microservice-platform/common';
import type { MethodDefinition } from '@microservice-platform/common/grpc';

/** A unary method, with the fields of its request by their names in the contract. */
export interface Translated {
  readonly method: MethodDefinition<Message, Message>;
  readonly fields: Readonly<Record<string, FieldType>>;
}

export type Message = Readonly<Record<string, unknown>>;

/** Where the fields of a request come from. */
export interface Given {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  /** As it was received; empty when there is none. */
  readonly body: Uint8Array | undefined;
}

type Template = string | number | boolean;
type FieldType = keyof typeof kinds | 'other';

const whole = (min: bigint, max: bigint) => ({
  said: `a whole number from ${min} to ${max}`,
  of: (value: unknown) => {
    const text = typeof value === 'number' && Number.isInteger(value) ? String(BigInt(value)) : value;
    if (typeof text !== 'string' || !/^-?\d{1,20}$/.test(text)) return undefined;
    return BigInt(text) >= min && BigInt(text) <= max ? text : undefined;
  },
});
const int32 = whole(-(2n ** 31n), 2n ** 31n - 1n);
const uint32 = whole(0n, 2n ** 32n - 1n);
const int64 = whole(-(2n ** 63n), 2n ** 63n - 1n);
const uint64 = whole(0n, 2n ** 64n - 1n);
const number = {
  said: 'a number',
  of: (value: unknown) => {
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : undefined;
  },
};
const bool = {
  said: 'true or false',
  of: (value: unknown) =>
    [true, 'true'].includes(value as string) ? true : [false, 'false'].includes(value as string) ? false : undefined,
};
const text = { said: 'a text', of: (value: unknown) => (typeof value === 'string' ? value : undefined) };

/** What a value is to a field of each type, from JSON or from the text of a path; undefined when it is none of it. */
const kinds = {
  TYPE_INT32: int32,
  TYPE_SINT32: int32,
  TYPE_SFIXED32: int32,
  TYPE_UINT32: uint32,
  TYPE_FIXED32: uint32,
  TYPE_INT64: int64,
  TYPE_SINT64: int64,
  TYPE_SFIXED64: int64,
  TYPE_UINT64: uint64,
  TYPE_FIXED64: uint64,
  TYPE_DOUBLE: number,
  TYPE_FLOAT: number,
  TYPE_BOOL: bool,
  TYPE_STRING: text,
} as const;

interface Descriptor {
  readonly field: readonly { readonly name: string; readonly type: string; readonly label: string }[];
}

/** The fields of the requests of a method. Lists, messages and the like are `other`: they are not translated. */
export function translated(method: MethodDefinition<Message, Message>): Translated {
  const { field } = method.requestType.type as unknown as Descriptor;
  const typeOf = ({ type, label }: Descriptor['field'][number]): FieldType =>
    label !== 'LABEL_REPEATED' && Object.hasOwn(kinds, type) ? (type as keyof typeof kinds) : 'other';
  return { method, fields: Object.fromEntries(field.map((it) => [it.name, typeOf(it)])) };
}

/** What keeps a request from being made of these templates. */
export function templateFaults(
  { method, fields }: Translated,
  templates: Readonly<Record<string, Template>>,
): readonly string[] {
  const name = method.path.slice(1);
  return Object.entries(templates).flatMap(([field, template]) => {
    const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (type === undefined) return [`gives ${name} ${field}, which its request does not have`];
    if (type === 'other') return [`gives ${name} ${field}, which is no single value`];
    if (nameIn(template) !== undefined || kinds[type].of(template) !== undefined) return [];
    return [`gives ${name} ${field}, which is not ${kinds[type].said}`];
  });
}

/**
 * The request that a call is made with: each field of `templates` from there, all others from the body.
 *
 * @throws Problem `invalid_request` naming every fault
 */
export function requestMessage(
  { method, fields }: Translated,
  templates: Readonly<Record<string, Template>>,
  { params, query, body }: Given,
): Message {
  const fromBody = bodyFields(body);
  const foreign = Object.keys(fromBody).filter(
    (name) => !Object.hasOwn(fields, name) || Object.hasOwn(templates, name),
  );
  const fromElsewhere = Object.entries(templates).flatMap(([field, template]) => {
    const name = nameIn(template);
    const value = name === undefined ? template : (params[name] ?? query.get(name));
    return value === null || value === undefined ? [] : [[field, value] as const];
  });
  const given = [...Object.entries(fromBody).filter(([name]) => !foreign.includes(name)), ...fromElsewhere];
  const read = given.map(([name, value]) => [name, value, valueIn(fields[name] as FieldType, value)] as const);
  const errors: FieldError[] = [
    ...unknownFields(Object.fromEntries(foreign.map((name) => [name, true])), `a request to ${method.path.slice(1)}`),
    ...read.flatMap(([name, , { fault }]) => faults(name, fault)),
  ];
  requireNone(errors);
  return Object.fromEntries(read.map(([name, , { value }]) => [name, value]));
}

function valueIn(type: FieldType, given: unknown): { readonly value?: unknown; readonly fault?: string } {
  if (type === 'other') return { fault: 'cannot be given here' };
  const value = kinds[type].of(given);
  return value === undefined ? { fault: `is not ${kinds[type].said}` } : { value };
}

/** The `name` of a template `{name}`; undefined for any other. */
function nameIn(template: Template): string | undefined {
  return typeof template === 'string' ? /^\{(\w+)\}$/.exec(template)?.[1] : undefined;
}

function bodyFields(body: Uint8Array | undefined): Readonly<Record<string, unknown>> {
  if (body === undefined || body.length === 0) return {};
  try {
    return fieldsOf(JSON.parse(Buffer.from(body).toString('utf8')));
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('invalid_request', 'the body is not JSON', { cause: error });
  }
}
