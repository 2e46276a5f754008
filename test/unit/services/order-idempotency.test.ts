import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../../services/common/src/serving/problem.ts';
import { keyedRequest } from '../../../services/order-service/src/idempotency.ts';
import { lastKnown } from '../../../services/order-service/src/last-known.ts';

const wanted = { product_id: 2, quantity: 3, user_id: 'u-7' };
const of = (key: string, request = wanted) => keyedRequest({ 'idempotency-key': key }, request);

describe('an Idempotency-Key', () => {
  it.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['"an order, mine!"', 'an order, mine!'],
    [`"${'k'.repeat(255)}"`, 'k'.repeat(255)],
  ])('like %s is taken', (given, key) => {
    expect(of(given)).toMatchObject({ client: 'u-7', key });
  });

  it.each(['', '""', '"', 'a b', '"\t"', '"ä"', `"${'k'.repeat(256)}"`, '"a"; "b"'])('like %j is refused', (given) => {
    expect(() => of(given)).toThrow('Idempotency-Key is not a text of 1 to 255 visible characters in quotes');
  });

  it('that is missing is asked for', () => {
    expect(() => keyedRequest({}, wanted)).toThrow('the header Idempotency-Key is required');
  });

  it('goes with a fingerprint that is the same for equal orders only, however they are written', () => {
    const request = fc.record({ product_id: fc.nat(), quantity: fc.nat(), user_id: fc.string() });
    fc.assert(
      fc.property(request, request, (one, other) => {
        const { product_id, quantity, user_id } = one;
        expect(of('k', { user_id, quantity, product_id }).fingerprint).toBe(of('k', one).fingerprint);
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(of('k', other).fingerprint === of('k', one).fingerprint).toBe(same);
      }),
    );
  });
});

describe('what is known of others', () => {
  const silence = new Problem('unavailable', 'nobody there');

  it('is the last answer, marked, when there is none now, until it is too old', async () => {
    let now = 0;
    let answer: () => Promise<number> = async () => 7;
    const known = lastKnown(() => answer(), { maxAgeMs: 1000, maxEntries: 10, now: () => now });
    expect(await known('a')).toEqual({ value: 7, stale: false });
    answer = () => Promise.reject(silence);
    now = 1000;
    expect(await known('a')).toEqual({ value: 7, stale: true });
    await expect(known('b')).rejects.toBe(silence);
    now = 1001;
    await expect(known('a')).rejects.toBe(silence);
  });

  it('does not stand in for an answer that refuses', async () => {
    const refusal = new Problem('not_found', 'no such thing');
    let answer: () => Promise<number> = async () => 7;
    const known = lastKnown(() => answer(), { maxAgeMs: 1000, maxEntries: 10 });
    await known('a');
    answer = () => Promise.reject(refusal);
    await expect(known('a')).rejects.toBe(refusal);
  });

  it('is bounded: what was answered longest ago is forgotten first', async () => {
    let silent = false;
    const known = lastKnown(async (key: string) => (silent ? Promise.reject(silence) : key), {
      maxAgeMs: 1000,
      maxEntries: 2,
    });
    for (const key of ['a', 'b', 'a', 'c']) await known(key);
    silent = true;
    expect(await known('a')).toEqual({ value: 'a', stale: true });
    await expect(known('b')).rejects.toBe(silence);
  });
});
