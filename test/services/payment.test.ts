import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { type Answer, databaseEnv } from '../support/shop.ts';

let postgres: Postgres;
let own: PostgresDatabase;
/** Two replicas over one database. */
let replicas: readonly ServiceProcess[];

beforeAll(async () => {
  postgres = await startPostgres();
  own = await postgres.createDatabase('payment');
  replicas = await Promise.all([1, 2].map(() => startService('payment-service', databaseEnv(own))));
});
afterAll(async () => {
  await Promise.all((replicas ?? []).map((it) => it.stop()));
  await postgres?.stop();
});

let asked = 0;
/** One request, at the two replicas in turn. */
async function ask(method: 'GET' | 'PUT' | 'POST', path: string, body?: unknown): Promise<Answer> {
  const replica = replicas[asked++ % replicas.length];
  const response = await fetch(`${replica?.url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    signal: AbortSignal.timeout(15_000),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const charge = (order: string, wanted: unknown) => ask('PUT', `/payments/${order}`, wanted);
const refund = (order: string) => ask('POST', `/payments/${order}/refund`);
const paymentOf = async (order: string) => (await ask('GET', `/payments/${order}`)).body;
const refusal = ({ status, body }: Answer) => `${status} ${body.code}`;

const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const wanted = { user_id: 'u-7', amount: 22.5 };

describe('a payment', () => {
  it('is charged once: 201, then 200 with the same body', async () => {
    const order_id = crypto.randomUUID();
    const first = await charge(order_id, wanted);
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      order_id,
      ...wanted,
      status: 'charged',
      created_at: timestamp,
      refunded_at: null,
    });
    const again = await charge(order_id.toUpperCase(), wanted);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(await paymentOf(order_id)).toEqual(first.body);
  });

  it('is charged once when many ask for it at the same moment', async () => {
    const order = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => charge(order, wanted)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([...Array<number>(49).fill(200), 201]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it('of another user or amount for the same order is a conflict, and changes nothing', async () => {
    const order = crypto.randomUUID();
    const { body } = await charge(order, wanted);
    expect(refusal(await charge(order, { ...wanted, amount: 22.49 }))).toBe('409 conflict');
    expect(refusal(await charge(order, { ...wanted, user_id: 'u-8' }))).toBe('409 conflict');
    expect(await paymentOf(order)).toEqual(body);
  });

  it('keeps its amount to the cent', async () => {
    for (const amount of [0.01, 0.29, 1234.56, 9_999.99, 10_000]) {
      const order = crypto.randomUUID();
      expect((await charge(order, { ...wanted, amount })).status).toBe(201);
      expect((await paymentOf(order)).amount).toBe(amount);
    }
  });

  it('is told all its faults at once', async () => {
    expect((await charge('17', wanted)).body).toMatchObject({ status: 400, detail: 'order_id is not a UUID' });
    expect((await charge(crypto.randomUUID(), { amount: 1.005 })).body).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [{ field: 'user_id' }, { field: 'amount', message: 'amount has more than two decimals' }],
    });
  });

  it('that nobody asked for is 404', async () => {
    expect(refusal(await ask('GET', `/payments/${crypto.randomUUID()}`))).toBe('404 not_found');
  });
});

describe('a payment above the limit', () => {
  const dear = { ...wanted, amount: 10_000.01 };

  it('is declined with 402, again with 402, and the decline is kept', async () => {
    const order_id = crypto.randomUUID();
    expect(refusal(await charge(order_id, dear))).toBe('402 payment_declined');
    expect(refusal(await charge(order_id, dear))).toBe('402 payment_declined');
    expect(await paymentOf(order_id)).toMatchObject({ order_id, ...dear, status: 'declined' });
    expect(refusal(await charge(order_id, wanted))).toBe('409 conflict');
  });

  it('stays declined when it is refunded: there is nothing to give back', async () => {
    const order = crypto.randomUUID();
    await charge(order, dear);
    expect(await refund(order)).toMatchObject({ status: 200, body: { status: 'declined', refunded_at: null } });
    expect(refusal(await charge(order, dear))).toBe('402 payment_declined');
  });

  it('stays declined when the limit is raised, and new ones are measured by the new limit', async () => {
    const order = crypto.randomUUID();
    await charge(order, dear);
    const generous = await startService('payment-service', { ...databaseEnv(own), PAYMENT_LIMIT: '20000' });
    const put = (id: string) =>
      fetch(`${generous.url}/payments/${id}`, {
        method: 'PUT',
        body: JSON.stringify(dear),
        headers: { 'content-type': 'application/json' },
      });
    expect([(await put(order)).status, (await put(crypto.randomUUID())).status]).toEqual([402, 201]);
    await generous.stop();
  });
});

describe('a refund', () => {
  it('ends the payment once and for good, however often it is asked for', async () => {
    const order_id = crypto.randomUUID();
    await charge(order_id, wanted);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(order_id)));
    const [first] = answers;
    expect(first?.body).toMatchObject({ order_id, ...wanted, status: 'refunded', refunded_at: timestamp });
    for (const { status, body } of answers) expect([status, body]).toEqual([200, first?.body]);
    expect(refusal(await charge(order_id, wanted))).toBe('409 conflict');
    expect((await paymentOf(order_id)).status).toBe('refunded');
  });

  it('of an order never seen is remembered, so that a charge that comes late is refused', async () => {
    const order_id = crypto.randomUUID();
    for (const _time of ['first', 'again']) {
      expect(await refund(order_id)).toMatchObject({
        status: 200,
        body: { order_id, user_id: null, amount: 0, status: 'refunded' },
      });
    }
    expect(refusal(await charge(order_id, wanted))).toBe('409 conflict');
    expect(await paymentOf(order_id)).toMatchObject({ amount: 0, status: 'refunded' });
  });

  it('wins over every charge that it meets: nobody pays for an order that was given up', async () => {
    for (let round = 0; round < 10; round += 1) {
      const order = crypto.randomUUID();
      const holder = new pg.Client(own);
      await holder.connect();
      // All of them wait for a row that then never comes to be; who is first after that is chance.
      await holder.query('BEGIN');
      await holder.query(`INSERT INTO payments VALUES ($1, 'nobody', 1, 'charged')`, [order]);
      const charges = [1, 2, 3].map(() => charge(order, wanted));
      const refunds = [1, 2].map(() => refund(order));
      await expect.poll(() => waiting(holder), { timeout: 4_000 }).toBe(5);
      await holder.query('ROLLBACK');
      await holder.end();

      const made = (await Promise.all(charges)).filter(({ status }) => status === 201).length;
      for (const { body } of await Promise.all(refunds)) expect(body.status).toBe('refunded');
      expect(await paymentOf(order)).toMatchObject({ status: 'refunded', amount: made * wanted.amount });
      expect(refusal(await charge(order, wanted))).toBe('409 conflict');
    }
  });

  /** How many sessions wait for a lock. */
  async function waiting(client: pg.Client): Promise<number> {
    const { rows } = await client.query(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
    return rows.length;
  }
});

describe('the list of payments', () => {
  it('goes through all of them page by page, each once', async () => {
    const least = '00000000-0000-0000-0000-000000000000';
    const orders = [least, ...Array.from({ length: 7 }, () => crypto.randomUUID())];
    await Promise.all(orders.map((order) => charge(order, wanted)));
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const { body } = await ask('GET', `/payments?limit=3${after}`);
      expect(body.items.length).toBeLessThanOrEqual(3);
      seen.push(...body.items.map((it: { order_id: string }) => it.order_id));
      if (body.next === null) break;
      after = `&after=${body.next}`;
    }
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen).toEqual(expect.arrayContaining(orders));
  });

  it('refuses a page that cannot be', async () => {
    expect((await ask('GET', '/payments?limit=0&after=7')).body).toMatchObject({
      status: 400,
      errors: [{ field: 'after' }, { field: 'limit' }],
    });
  });
});

describe('a payment service without its database', () => {
  it('is alive but not ready, answers 503, and recovers by itself with what it kept', async () => {
    const order = crypto.randomUUID();
    const { body } = await charge(order, wanted);
    await postgres.halt();
    try {
      for (const _replica of replicas) {
        expect((await ask('GET', '/healthz')).status).toBe(200);
        expect((await ask('GET', '/readyz')).body.reason).toMatch(/^database: /);
      }
      expect(refusal(await charge(order, wanted))).toBe('503 unavailable');
    } finally {
      await postgres.resume();
    }
    const again = await charge(order, wanted);
    expect([again.status, again.body]).toEqual([200, body]);
  });
});
