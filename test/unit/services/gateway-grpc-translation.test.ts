import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Message,
  requestMessage,
  templateFaults,
  translated,
} from '../../../services/api-gateway/src/grpc-translation.ts';
import { grpcMethod } from '../../../services/common/src/calls/grpc-client.ts';

const contract = fileURLToPath(new URL('../../../services/product-service/proto/product.proto', import.meta.url));
const method = grpcMethod<Message, Message>(contract, 'product.ProductService/GetProduct', { keepCase: true });
const called = translated(method);

const messageOf = (
  templates: Readonly<Record<string, string | number>>,
  given: { id?: string; query?: string; body?: string },
) =>
  requestMessage(called, templates, {
    params: { id: given.id },
    query: new URLSearchParams(given.query),
    body: given.body === undefined ? undefined : Buffer.from(given.body),
  });

describe('a request by gRPC that is made of one by HTTP', () => {
  it('means the same number on the wire, for each that the field can hold, from the path and from the body', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (id) => {
        for (const message of [
          messageOf({ id: '{id}' }, { id: String(id) }),
          messageOf({}, { body: JSON.stringify({ id }) }),
        ]) {
          expect(method.requestDeserialize(method.requestSerialize(message))).toEqual({ id });
        }
      }),
    );
  });

  it('is refused for whatever else stands in the place of a number', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string().filter((text) => !/^-?\d+$/.test(text)),
          fc.bigInt({ min: 2n ** 31n }).map(String),
          fc.bigInt({ max: -(2n ** 31n) - 1n }).map(String),
        ),
        (id) => {
          expect(() => messageOf({ id: '{id}' }, { id })).toThrow(expect.objectContaining({ code: 'invalid_request' }));
          expect(() => messageOf({}, { body: JSON.stringify({ id }) })).toThrow(/id is not a whole number/);
        },
      ),
    );
  });

  it('is refused for any body that is no object, or has other fields than are to be given there', () => {
    for (const body of ['7', '[]', 'null', '{', '"id"']) expect(() => messageOf({}, { body })).toThrow(/body is not/);
    for (const key of ['colour', '__proto__', 'constructor'])
      expect(() => messageOf({}, { body: `{"${key}": 1}` })).toThrow(`${key} is not a field of a request`);
    expect(() => messageOf({ id: '{id}' }, { id: '1', body: '{"id": 2}' })).toThrow('id is not a field of a request');
  });

  it('takes a field from the path before the query, and leaves out what is given nowhere', () => {
    expect(messageOf({ id: '{id}' }, { id: '1', query: 'id=2' })).toEqual({ id: '1' });
    expect(messageOf({ id: '{number}' }, { query: 'number=2' })).toEqual({ id: '2' });
    expect(messageOf({ id: '{number}' }, {})).toEqual({});
    expect(messageOf({ id: 7 }, {})).toEqual({ id: '7' });
  });

  it('can be made of templates that name fields of the request, or hold values of their types', () => {
    expect(templateFaults(called, { id: '{id}' })).toEqual([]);
    expect(templateFaults(called, { id: 1.5, colour: 'red' })).toHaveLength(2);
  });
});
