import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../../services/common/src/serving/problem.ts';
import { newProduct, pageRequest, productId } from '../../../services/product-service/src/validator.ts';

function problem(run: () => unknown): Problem {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a new product', () => {
  it('may have a name of 200 characters, however many bytes or units each of them takes', () => {
    expect(newProduct({ name: '🫖'.repeat(200), price: 1 }).name).toBe('🫖'.repeat(200));
    expect(() => newProduct({ name: '🫖'.repeat(201), price: 1 })).toThrow('name is longer than 200 characters');
  });

  it.each([undefined, null, '', '   '])('without a name (%j) is refused: name is required', (name) => {
    expect(problem(() => newProduct({ name, price: 1 })).body()).toMatchObject({
      status: 400,
      detail: 'name is required',
      errors: [{ field: 'name', message: 'name is required' }],
    });
  });

  it.each([
    [{ name: 7, price: 1 }, 'name is not a text'],
    [{ name: 'x'.repeat(201), price: 1 }, 'name is longer than 200 characters'],
    [{ name: 'a\u0000b', price: 1 }, 'name holds characters that cannot be shown'],
    [{ name: 'a\ud800', price: 1 }, 'name holds characters that cannot be shown'],
    [{ name: 'a' }, 'price is required'],
    [{ name: 'a', price: '1' }, 'price is not a number'],
    [{ name: 'a', price: -0.01 }, 'price is negative'],
    [{ name: 'a', price: 1.005 }, 'price has more than two decimals'],
    [{ name: 'a', price: 10_000_000_000 }, 'price is greater than 9999999999.99'],
    [{ name: 'a', price: 1, id: 9 }, 'id is not a field of a new product'],
    [[], 'the body is not a JSON object'],
    [null, 'the body is not a JSON object'],
  ])('like %j is refused: %s', (body, detail) => {
    expect(problem(() => newProduct(body)).message).toBe(detail);
  });

  it('is told all its faults at once', () => {
    expect(problem(() => newProduct({ name: '', price: -1 })).errors).toEqual([
      { field: 'name', message: 'name is required' },
      { field: 'price', message: 'price is negative' },
    ]);
  });

  it('may cost any amount of whole cents', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (cents) => {
        const price = Number(`${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`);
        return newProduct({ name: 'a', price }).price === price;
      }),
    );
  });
});

describe('an id', () => {
  it.each(['abc', '1.5', '1e3', '', ' 1', '0x1', '--1'])('like %j is refused: it is not an integer', (text) => {
    expect(problem(() => productId(text))).toMatchObject({ status: 400, message: 'id is not an integer' });
  });

  it('that is an integer is taken', () => {
    fc.assert(fc.property(fc.integer(), (id) => productId(String(id)) === id));
  });
});

describe('a page', () => {
  it('starts at the beginning with 20 products unless asked otherwise', () => {
    expect(pageRequest({})).toEqual({ after: 0, limit: 20 });
    expect(pageRequest({ after: '7', limit: '100' })).toEqual({ after: 7, limit: 100 });
  });

  it('is told all its faults at once', () => {
    expect(problem(() => pageRequest({ after: '-1', limit: '101' })).errors).toEqual([
      { field: 'after', message: 'after is not a whole number from 0 to 9007199254740991' },
      { field: 'limit', message: 'limit is not a whole number from 1 to 100' },
    ]);
    expect(problem(() => pageRequest({ limit: ['1', '2'] })).errors).toHaveLength(1);
  });
});
