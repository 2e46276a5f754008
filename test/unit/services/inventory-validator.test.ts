import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newReservation, newStock, orderId, productId } from '../../../services/inventory-service/src/validator.ts';

const pieces = fc.integer({ min: 1, max: 1_000_000_000 });

describe('a new reservation', () => {
  const whole = { product_id: 1, quantity: 1 };
  it.each([
    [{ ...whole, product_id: undefined }, 'product_id is required'],
    [{ ...whole, product_id: null }, 'product_id is required'],
    [{ ...whole, product_id: '1' }, 'product_id is not a whole number from 1 to 2147483647'],
    [{ ...whole, product_id: 0 }, 'product_id is not a whole number from 1 to 2147483647'],
    [{ ...whole, product_id: 2_147_483_648 }, 'product_id is not a whole number from 1 to 2147483647'],
    [{ ...whole, quantity: 0 }, 'quantity is not a whole number from 1 to 1000000000'],
    [{ ...whole, quantity: 1.5 }, 'quantity is not a whole number from 1 to 1000000000'],
    [{ ...whole, quantity: 1_000_000_001 }, 'quantity is not a whole number from 1 to 1000000000'],
    [{ ...whole, order_id: 'x' }, 'order_id is not a field of a reservation'],
    [{}, 'product_id is required; quantity is required'],
    [[whole], 'the body is not a JSON object'],
    [undefined, 'the body is not a JSON object'],
  ])('like %j is refused: %s', (body, detail) => {
    expect(() => newReservation(body)).toThrow(expect.objectContaining({ code: 'invalid_request', message: detail }));
  });

  it('is either taken as it is or refused as invalid, whatever JSON it is', () => {
    const body = fc.oneof(fc.jsonValue(), fc.record({ product_id: pieces, quantity: pieces }));
    fc.assert(
      fc.property(body, (it) => {
        try {
          expect(newReservation(it)).toEqual(it);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
        }
      }),
    );
  });
});

describe('new stock', () => {
  it('is any whole number from nothing to a billion pieces', () => {
    expect(newStock({ available: 0 })).toBe(0);
    fc.assert(fc.property(pieces, (available) => newStock({ available }) === available));
  });

  it.each([
    [{}, 'available is required'],
    [{ available: -1 }, 'available is not a whole number from 0 to 1000000000'],
    [{ available: 1, reserved: 1 }, 'reserved is not a field of stock'],
    ['1', 'the body is not a JSON object'],
  ])('like %j is refused: %s', (body, detail) => {
    expect(() => newStock(body)).toThrow(expect.objectContaining({ code: 'invalid_request', message: detail }));
  });
});

describe('a path', () => {
  it('names a product by a whole number that a product can have', () => {
    expect(productId('2147483647')).toBe(2_147_483_647);
    for (const text of ['0', '-1', '1.5', '1e3', '', ' 1', '2147483648', '99999999999']) {
      expect(() => productId(text)).toThrow('product_id is not a whole number from 1 to 2147483647');
    }
  });

  it('names an order by a UUID, in any case of letters', () => {
    fc.assert(fc.property(fc.uuid(), (id) => orderId(id.toUpperCase()) === id));
    for (const text of ['17', '', '00000000-0000-0000-0000-00000000000g']) {
      expect(() => orderId(text)).toThrow('order_id is not a UUID');
    }
  });
});
