import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../services/common/src/config/config.ts';
import { paymentConfig } from '../../../services/payment-service/src/config.ts';
import { newPayment, orderId, pageRequest } from '../../../services/payment-service/src/validator.ts';

const whole = { user_id: 'u-1', amount: 1 };

describe('a new payment', () => {
  it('may be of a user whose id has 128 characters, however many units each of them takes', () => {
    expect(newPayment({ ...whole, user_id: '🫖'.repeat(128) }).user_id).toBe('🫖'.repeat(128));
  });

  it.each([
    [{ ...whole, user_id: '  ' }, 'user_id is required'],
    [{ ...whole, user_id: 7 }, 'user_id is not a text'],
    [{ ...whole, user_id: 'u'.repeat(129) }, 'user_id is longer than 128 characters'],
    [{ ...whole, user_id: 'a\u0000b' }, 'user_id holds characters that cannot be shown'],
    [{ ...whole, user_id: 'a\ud800' }, 'user_id holds characters that cannot be shown'],
    [{ ...whole, amount: null }, 'amount is required'],
    [{ ...whole, amount: '1' }, 'amount is not a number'],
    [{ ...whole, amount: -1 }, 'amount is negative'],
    [{ ...whole, amount: 0.001 }, 'amount has more than two decimals'],
    [{ ...whole, amount: 1e-300 }, 'amount has more than two decimals'],
    [{ ...whole, amount: 1e14 }, 'amount is greater than 99999999999999'],
    [{ ...whole, status: 'charged' }, 'status is not a field of a payment'],
    [{}, 'user_id is required; amount is required'],
    [[whole], 'the body is not a JSON object'],
    [undefined, 'the body is not a JSON object'],
  ])('like %j is refused: %s', (body, detail) => {
    expect(() => newPayment(body)).toThrow(expect.objectContaining({ code: 'invalid_request', message: detail }));
  });

  it('may be of any amount of whole cents, nothing included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (cents) => {
        const amount = Number(`${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`);
        expect(newPayment({ ...whole, amount })).toEqual({ ...whole, amount });
      }),
    );
  });

  it('is either taken as it is or refused as invalid, whatever JSON it is', () => {
    const body = fc.oneof(fc.jsonValue(), fc.record({ user_id: fc.string(), amount: fc.double() }));
    fc.assert(
      fc.property(body, (it) => {
        try {
          expect(newPayment(it)).toEqual(it);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
        }
      }),
    );
  });
});

describe('the order of a payment', () => {
  it('is named by a UUID, in any case of letters', () => {
    fc.assert(fc.property(fc.uuid(), (id) => orderId(id.toUpperCase()) === id));
    expect(() => orderId('17')).toThrow('order_id is not a UUID');
  });
});

describe('a page of payments', () => {
  it('holds twenty from the beginning when nothing else is asked for', () => {
    expect(pageRequest({})).toEqual({ limit: 20, after: undefined });
  });

  it.each([{ limit: '0' }, { limit: '101' }, { limit: '1e1' }, { limit: ['1', '2'] }, { after: '7' }])(
    'is refused for %j',
    (query) => {
      expect(() => pageRequest(query)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    },
  );
});

describe('the limit of payments', () => {
  const env = { DB_HOST: 'h', DB_USER: 'u', DB_PASSWORD: 'p', DB_NAME: 'n' };

  it('is 10,000 unless set otherwise, and may be 0, so that every payment is declined', () => {
    expect(readConfig(env, paymentConfig).paymentLimit).toBe(10_000);
    expect(readConfig({ ...env, PAYMENT_LIMIT: '0' }, paymentConfig).paymentLimit).toBe(0);
  });

  it.each(['', '1e4', '-1', 'none', '1000000001'])('is not %j', (text) => {
    expect(() => readConfig({ ...env, PAYMENT_LIMIT: text }, paymentConfig)).toThrow('PAYMENT_LIMIT is');
  });
});
