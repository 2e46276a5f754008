import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../../services/common/src/serving/problem.ts';
import { orderOf } from '../../../services/order-service/src/order.ts';
import { orderNews, totalOf } from '../../../services/order-service/src/orders.ts';
import { orderId, orderRequest, pageRequest } from '../../../services/order-service/src/validator.ts';

function problem(run: () => unknown): Problem {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const whole = { product_id: 1, quantity: 1, user_id: 'u-1' };

describe('a new order', () => {
  it('may be of a user whose id has 128 characters, however many units each of them takes', () => {
    expect(orderRequest({ ...whole, user_id: '🫖'.repeat(128) }).user_id).toBe('🫖'.repeat(128));
  });

  it.each([
    [{ ...whole, product_id: undefined }, 'product_id is required'],
    [{ ...whole, product_id: null }, 'product_id is required'],
    [{ ...whole, product_id: '1' }, 'product_id is not a whole number from 1 to 2147483647'],
    [{ ...whole, product_id: 1.5 }, 'product_id is not a whole number from 1 to 2147483647'],
    [{ ...whole, product_id: 2_147_483_648 }, 'product_id is not a whole number from 1 to 2147483647'],
    [{ ...whole, quantity: 0 }, 'quantity is not a whole number from 1 to 10000'],
    [{ ...whole, quantity: 10_001 }, 'quantity is not a whole number from 1 to 10000'],
    [{ ...whole, user_id: '' }, 'user_id is required'],
    [{ ...whole, user_id: '  ' }, 'user_id is required'],
    [{ ...whole, user_id: 7 }, 'user_id is not a text'],
    [{ ...whole, user_id: 'u'.repeat(129) }, 'user_id is longer than 128 characters'],
    [{ ...whole, user_id: 'a\u0000b' }, 'user_id holds characters that cannot be shown'],
    [{ ...whole, user_id: 'a\ud800' }, 'user_id holds characters that cannot be shown'],
    [{ ...whole, total: 1 }, 'total is not a field of a new order'],
    [[whole], 'the body is not a JSON object'],
    [null, 'the body is not a JSON object'],
  ])('like %j is refused: %s', (body, detail) => {
    expect(problem(() => orderRequest(body)).message).toBe(detail);
  });

  it('is either taken as it is or refused as invalid, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        try {
          expect(orderRequest(body)).toEqual(body);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
        }
      }),
    );
  });

  it('costs exactly price times quantity, to the cent', () => {
    const cents = fc.integer({ min: 0, max: 100_000_000 });
    fc.assert(
      fc.property(cents, fc.integer({ min: 1, max: 10_000 }), (price, quantity) => {
        const exact = BigInt(price) * BigInt(quantity);
        const expected = `${exact / 100n}.${String(exact % 100n).padStart(2, '0')}`;
        expect(totalOf(price / 100, quantity).toFixed(2)).toBe(expected);
      }),
    );
  });

  it('is told to the shop by four fields and no others', () => {
    const placed = { type: 'OrderPlaced', ...whole, total: 1, degraded: [] } as const;
    const order = orderOf('o-1', [{ version: 1, event: placed, at: new Date(0) }]);
    expect(orderNews(order)).toEqual({ order_id: 'o-1', product_id: 1, quantity: 1, user_id: 'u-1' });
  });
});

describe('the id of an order', () => {
  it('is a UUID, in any case of letters', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(orderId(id.toUpperCase())).toBe(id);
      }),
    );
  });

  it.each(['17', '', 'x', '00000000-0000-0000-0000-00000000000g'])('is not %j', (id) => {
    expect(problem(() => orderId(id)).message).toBe('id is not a UUID');
  });
});

describe('a page of orders', () => {
  it('holds twenty from the beginning when nothing else is asked for', () => {
    expect(pageRequest({})).toEqual({ limit: 20, after: undefined });
  });

  it.each([{ limit: '0' }, { limit: '101' }, { limit: '1e1' }, { limit: ['1', '2'] }, { after: '7' }])(
    'is refused for %j',
    (query) => {
      expect(problem(() => pageRequest(query))).toMatchObject({ code: 'invalid_request' });
    },
  );
});
