import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from './gateway.ts';
import type { Customer } from './session.ts';
import type { Cast } from './traffic.ts';

const users = 10;
const attempts = 60;
const pauseMs = 1_000;

/** Who takes part, and the one of them who signs in for all. */
export interface Prepared {
  readonly cast: Cast;
  readonly customer: Customer;
}

/**
 * Adds the users of this run and learns which products there are. The shop may still be starting: asks again for a
 * minute. None of it counts as load.
 *
 * @throws Error saying what the last attempt lacked
 */
export async function prepareCast(shop: Gateway, onWait: (reason: Error) => void): Promise<Prepared> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await prepared(shop);
    } catch (error) {
      if (attempt === attempts || !(error instanceof Error)) throw error;
      onWait(error);
      await sleep(pauseMs);
    }
  }
}

async function prepared(shop: Gateway): Promise<Prepared> {
  const productIds: number[] = [];
  await expectAnswer(shop, {
    method: 'GET',
    path: '/products?limit=100',
    status: 200,
    accept: ({ items }) => Array.isArray(items) && productIds.push(...items.map(({ id }: { id: number }) => id)) > 0,
  });
  const userIds: string[] = [];
  const customer: Customer = { email: `${crypto.randomUUID()}@load.example`, password: crypto.randomUUID() };
  for (let number = 1; number <= users; number += 1) {
    await expectAnswer(shop, {
      method: 'POST',
      path: '/users',
      body: { name: `Load ${number}`, ...(number === 1 ? customer : { email: `${crypto.randomUUID()}@load.example` }) },
      status: 201,
      accept: ({ id }) => typeof id === 'string' && userIds.push(id) > 0,
    });
  }
  return { cast: { userIds, productIds }, customer };
}

async function expectAnswer(shop: Gateway, message: Parameters<Gateway['send']>[0]): Promise<void> {
  const { outcome, detail } = await shop.send(message);
  if (outcome !== 'answered') throw new Error(`${message.method} ${message.path}: ${outcome}: ${detail}`);
}
