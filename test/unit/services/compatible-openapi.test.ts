import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Contract, contractOf, type Schema } from '../../support/openapi.ts';
import { breaks, schemaBreaks } from '../../support/openapi-compatible.ts';
import { restServices } from '../../support/whole-shop.ts';

/** In `released/` is what the last release promised: a copy, made when a version is released and at no other time. */
describe.each(restServices)('the contract of %s', (name) => {
  it('keeps every promise of its last release', () => {
    expect(breaks(contractOf(name, 'released'), contractOf(name))).toEqual([]);
  });

  it('would break its callers without any one of its operations', () => {
    const contract = contractOf(name);
    for (const operation of Object.keys(contract)) {
      const { [operation]: _, ...rest } = contract;
      expect(breaks(contract, rest)).toEqual([`${operation} is gone`]);
    }
  });
});

const kind = () => ({ enum: ['old', 'new'] });
const things = {
  'GET /things': {
    parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } }],
    responses: {
      200: {
        headers: { Link: { required: true, schema: { type: 'string' } } },
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['id', 'kind'],
              properties: { id: { type: 'integer' }, kind: kind(), note: { type: 'string' } },
            },
          },
        },
      },
      404: {},
    },
  },
  'POST /things': {
    requestBody: {
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['kind'],
            additionalProperties: false,
            properties: { kind: kind(), note: { type: 'string', maxLength: 9, pattern: '^a' } },
          },
        },
      },
    },
    responses: { 201: {} },
  },
} satisfies Contract;

/** The contract with another value at this place; undefined takes away what is there. */
function changed(path: string, value: unknown): Contract {
  const contract = structuredClone<unknown>(things) as Record<string, unknown>;
  const keys = path.replace('LIST', 'GET /things').replace('ADD', 'POST /things').replace('JSON', json).split(' > ');
  const last = keys.pop() ?? '';
  const parent = keys.reduce((node, key) => node[key] as Record<string, unknown>, contract);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return contract as unknown as Contract;
}

const json = 'content > application/json > schema';
const limit = 'LIST > parameters > 0';
const answer = 'LIST > responses > 200';
const body = `ADD > requestBody > JSON`;

describe('of changes to a contract', () => {
  it.each([
    ['LIST', undefined, 'GET /things is gone'],
    ['LIST > responses > 404', undefined, 'GET /things 404 is gone'],
    ['LIST > responses > 202', {}, 'GET /things 202 is a success that nobody expects'],
    ['LIST > parameters', [], 'GET /things: the parameter limit is gone'],
    [`${limit} > required`, true, 'GET /things: the parameter limit is required now'],
    [`${limit} > schema > type`, 'string', 'GET /things: the parameter limit: type was "integer" and is "string"'],
    [`${limit} > schema > maximum`, 50, 'GET /things: the parameter limit: maximum was 100 and is 50'],
    [`${limit} > schema > minimum`, 2, 'GET /things: the parameter limit: minimum was 1 and is 2'],
    [`${limit} > schema > multipleOf`, 5, 'GET /things: the parameter limit: multipleOf was undefined and is 5'],
    ['ADD > requestBody > required', true, 'POST /things: a body is required now'],
    ['ADD > requestBody > content', {}, 'POST /things: the body: application/json is gone'],
    [`${body} > required`, ['kind', 'note'], 'POST /things: the body: note is required now'],
    [`${body} > properties > note`, undefined, 'POST /things: the body: note is gone'],
    [`${body} > properties > note > maxLength`, 8, 'POST /things: the body.note: maxLength was 9 and is 8'],
    [`${body} > properties > note > pattern`, '^b', 'POST /things: the body.note: pattern was "^a" and is "^b"'],
    [
      `${body} > properties > kind > enum`,
      ['old'],
      'POST /things: the body.kind: enum was ["old","new"] and is ["old"]',
    ],
    [`${answer} > headers`, {}, 'GET /things 200: the header Link is gone'],
    [`${answer} > headers > Link > required`, false, 'GET /things 200: the header Link is not always there now'],
    [`${answer} > content > text/csv`, { schema: {} }, 'GET /things 200: text/csv is a media type that nobody expects'],
    [`${answer} > JSON > required`, ['id'], 'GET /things 200: kind is not always there now'],
    [`${answer} > JSON > properties > note`, undefined, 'GET /things 200: note is gone'],
    [`${answer} > JSON > properties > id > type`, 'number', 'GET /things 200.id: type was "integer" and is "number"'],
    [
      `${answer} > JSON > properties > id > type`,
      ['integer', 'null'],
      'GET /things 200.id: type was "integer" and is ["integer","null"]',
    ],
    [
      `${answer} > JSON > properties > kind > enum`,
      ['old', 'new', 'lost'],
      'GET /things 200.kind: enum was ["old","new"] and is ["old","new","lost"]',
    ],
  ])('%s becoming %j breaks callers', (path, value, told) => {
    expect(breaks(things, changed(path, value))).toEqual([told]);
  });

  it.each([
    ['DELETE /things', { responses: { 204: {} } }],
    ['LIST > deprecated', true],
    ['LIST > responses > 429', {}],
    ['LIST > parameters > 1', { name: 'after', in: 'query', schema: { type: 'string' } }],
    [`${limit} > schema > maximum`, 200],
    [`${limit} > schema > minimum`, undefined],
    [`${limit} > schema > type`, 'number'],
    [`${limit} > schema > description`, 'How many.'],
    [`${body} > properties > size`, { type: 'integer' }],
    [`${body} > properties > note > pattern`, undefined],
    [`${body} > properties > kind > enum`, ['old', 'new', 'lost']],
    [`${body} > required`, []],
    [`${answer} > JSON > properties > size`, { type: 'integer' }],
    [`${answer} > JSON > properties > kind > enum`, ['old']],
    [`${answer} > JSON > required`, ['id', 'kind', 'note']],
    [`${answer} > headers > ETag`, { schema: { type: 'string' } }],
  ])('%s becoming %j harms nobody', (path, value) => {
    expect(breaks(things, changed(path, value))).toEqual([]);
  });
});

describe('a schema', () => {
  const { schema: arbitrary } = fc.letrec<{ schema: Schema }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      fc.record({ type: fc.constant('integer'), minimum: fc.nat(), maximum: fc.nat() }, { requiredKeys: ['type'] }),
      fc.record({ type: fc.constant('string'), maxLength: fc.nat(), format: fc.string() }, { requiredKeys: ['type'] }),
      fc.record({ enum: fc.array(fc.string()) }),
      fc.record({ type: fc.constant('array'), items: tie('schema') }),
      fc
        .record({ properties: fc.dictionary(fc.string(), tie('schema')), additionalProperties: fc.boolean() })
        .map((it) => ({ ...it, type: 'object', required: Object.keys(it.properties) })),
    ),
  }));

  it('is compatible with itself, in both directions', () => {
    fc.assert(
      fc.property(arbitrary, (it) => {
        expect([...schemaBreaks('it', it, it, 'sent'), ...schemaBreaks('it', it, it, 'answered')]).toEqual([]);
      }),
    );
  });
});
