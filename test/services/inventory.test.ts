import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { database, query } from '../../services/common/src/database/postgres.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { type Answer, databaseEnv } from '../support/shop.ts';

let postgres: Postgres;
let own: PostgresDatabase;
let pool: ReturnType<typeof database>;
/** Two replicas over one database. */
let replicas: readonly ServiceProcess[];

beforeAll(async () => {
  postgres = await startPostgres();
  own = await postgres.createDatabase('inventory');
  replicas = await Promise.all([1, 2].map(() => startService('inventory-service', databaseEnv(own))));
  pool = database(settingsOf(own), recordingLog());
});
afterAll(async () => {
  await Promise.all([...(replicas ?? []).map((it) => it.stop()), pool?.end()]);
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

const reserve = (order: string, wanted: unknown) => ask('PUT', `/reservations/${order}`, wanted);
const release = (order: string) => ask('POST', `/reservations/${order}/release`);
const stockOf = async (product: number) => (await ask('GET', `/stock/${product}`)).body;
const refusal = ({ status, body }: Answer) => `${status} ${body.code}`;

let products = 100;
/** A product that no other test uses. */
async function productWith(available: number): Promise<number> {
  products += 1;
  expect((await ask('PUT', `/stock/${products}`, { available })).status).toBe(201);
  return products;
}

const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('stock', () => {
  it('of the first five products is there from the start', async () => {
    for (const product_id of [1, 2, 3, 4, 5]) {
      expect(await ask('GET', `/stock/${product_id}`)).toMatchObject({
        status: 200,
        body: { product_id, available: 100_000, reserved: 0 },
      });
    }
  });

  it('is created with 201 and then set with 200, while reservations stay', async () => {
    const product_id = await productWith(5);
    await reserve(crypto.randomUUID(), { product_id, quantity: 2 });
    expect(await stockOf(product_id)).toEqual({ product_id, available: 3, reserved: 2 });
    expect(await ask('PUT', `/stock/${product_id}`, { available: 10 })).toMatchObject({
      status: 200,
      body: { product_id, available: 10, reserved: 2 },
    });
  });

  it('is 404 where none was ever set, and 400 for what can be no product or no number of pieces', async () => {
    expect(refusal(await ask('GET', '/stock/2147483647'))).toBe('404 not_found');
    for (const id of ['0', '-1', 'x', '2147483648']) {
      expect(refusal(await ask('GET', `/stock/${id}`))).toBe('400 invalid_request');
      expect(refusal(await ask('PUT', `/stock/${id}`, { available: 1 }))).toBe('400 invalid_request');
    }
    expect(await ask('PUT', '/stock/1', { available: -1 })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'available' }] },
    });
  });
});

describe('a reservation', () => {
  it('is made once: 201, then 200 with the same body, and takes its pieces once', async () => {
    const product_id = await productWith(10);
    const order_id = crypto.randomUUID();
    const first = await reserve(order_id, { product_id, quantity: 4 });
    expect(first).toMatchObject({ status: 201 });
    expect(first.body).toEqual({
      order_id,
      product_id,
      quantity: 4,
      status: 'reserved',
      created_at: timestamp,
      released_at: null,
    });
    const again = await reserve(order_id.toUpperCase(), { product_id, quantity: 4 });
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await ask('GET', `/reservations/${order_id}`)).body).toEqual(first.body);
    expect(await stockOf(product_id)).toEqual({ product_id, available: 6, reserved: 4 });
  });

  it('is made once when many ask for it at the same moment', async () => {
    const product_id = await productWith(100);
    const order = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => reserve(order, { product_id, quantity: 3 })));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([...Array<number>(49).fill(200), 201]);
    expect(await stockOf(product_id)).toEqual({ product_id, available: 97, reserved: 3 });
  });

  it('of other content for the same order is a conflict, and changes nothing', async () => {
    const [product_id, other] = [await productWith(10), await productWith(10)];
    const order = crypto.randomUUID();
    await reserve(order, { product_id, quantity: 1 });
    expect(refusal(await reserve(order, { product_id, quantity: 2 }))).toBe('409 conflict');
    expect(refusal(await reserve(order, { product_id: other, quantity: 1 }))).toBe('409 conflict');
    expect([(await stockOf(product_id)).reserved, (await stockOf(other)).reserved]).toEqual([1, 0]);
  });

  it('of more than there is is out of stock; nothing is kept of it, and later it may succeed', async () => {
    const product_id = await productWith(2);
    const order = crypto.randomUUID();
    expect(refusal(await reserve(order, { product_id, quantity: 3 }))).toBe('409 out_of_stock');
    expect(refusal(await ask('GET', `/reservations/${order}`))).toBe('404 not_found');
    expect(await stockOf(product_id)).toEqual({ product_id, available: 2, reserved: 0 });
    await ask('PUT', `/stock/${product_id}`, { available: 3 });
    expect((await reserve(order, { product_id, quantity: 3 })).status).toBe(201);
  });

  it('of a product without any stock is out of stock', async () => {
    const wanted = { product_id: 2_147_483_647, quantity: 1 };
    expect(refusal(await reserve(crypto.randomUUID(), wanted))).toBe('409 out_of_stock');
  });

  it('goes to as many orders as there are pieces, and to no more, when all come at once', async () => {
    const product_id = await productWith(20);
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => reserve(crypto.randomUUID(), { product_id, quantity: 1 })),
    );
    const made = answers.filter(({ status }) => status === 201).length;
    const refused = answers.filter((answer) => answer.status !== 201).map(refusal);
    expect([made, new Set(refused)]).toEqual([20, new Set(['409 out_of_stock'])]);
    expect(await stockOf(product_id)).toEqual({ product_id, available: 0, reserved: 20 });
  });

  it('is told all its faults at once', async () => {
    expect((await reserve('17', {})).body).toMatchObject({ status: 400, detail: 'order_id is not a UUID' });
    expect((await reserve(crypto.randomUUID(), { quantity: 0 })).body).toMatchObject({
      status: 400,
      errors: [{ field: 'product_id' }, { field: 'quantity' }],
    });
  });
});

describe('a release', () => {
  it('puts the pieces back once, however often it is asked for, and ends the reservation for good', async () => {
    const product_id = await productWith(10);
    const order_id = crypto.randomUUID();
    await reserve(order_id, { product_id, quantity: 4 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => release(order_id)));
    const [first] = answers;
    expect(first?.body).toMatchObject({
      order_id,
      product_id,
      quantity: 4,
      status: 'released',
      released_at: timestamp,
    });
    for (const { status, body } of answers) expect([status, body]).toEqual([200, first?.body]);
    expect(await stockOf(product_id)).toEqual({ product_id, available: 10, reserved: 0 });

    expect(refusal(await reserve(order_id, { product_id, quantity: 4 }))).toBe('409 conflict');
    expect(await stockOf(product_id)).toEqual({ product_id, available: 10, reserved: 0 });
  });

  it('of an order never seen is remembered, so that a reservation that comes late is refused', async () => {
    const product_id = await productWith(10);
    const order_id = crypto.randomUUID();
    for (const _time of ['first', 'again']) {
      expect(await release(order_id)).toMatchObject({
        status: 200,
        body: { order_id, product_id: null, quantity: 0, status: 'released' },
      });
    }
    expect(refusal(await reserve(order_id, { product_id, quantity: 1 }))).toBe('409 conflict');
    expect((await ask('GET', `/reservations/${order_id}`)).body.status).toBe('released');
    expect(await stockOf(product_id)).toEqual({ product_id, available: 10, reserved: 0 });
  });

  it('waits for a reservation that is still under way, and then undoes it', async () => {
    const product_id = await productWith(10);
    const order = crypto.randomUUID();
    const holder = new pg.Client(own);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM stock WHERE product_id = $1 FOR UPDATE', [product_id]);
    const reserved = reserve(order, { product_id, quantity: 4 });
    await expect.poll(waiting, { timeout: 4_000 }).toBe(1);
    const released = release(order);
    await expect.poll(waiting, { timeout: 4_000 }).toBe(2);
    await holder.query('COMMIT');
    await holder.end();
    expect((await reserved).status).toBe(201);
    expect((await released).body).toMatchObject({ product_id, quantity: 4, status: 'released' });
    expect(await stockOf(product_id)).toEqual({ product_id, available: 10, reserved: 0 });
  });

  /** How many sessions wait for a lock. */
  async function waiting(): Promise<number> {
    const { rows } = await query(pool, `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
    return rows.length;
  }
});

describe('whatever many callers reserve and release at the same time', () => {
  interface Call {
    readonly order: number;
    readonly action: 'reserve' | 'release';
    readonly product: number;
    readonly quantity: number;
  }

  const call: fc.Arbitrary<Call> = fc.record({
    order: fc.nat({ max: 11 }),
    action: fc.constantFrom('reserve', 'reserve', 'release'),
    product: fc.nat({ max: 1 }),
    quantity: fc.integer({ min: 1, max: 4 }),
  });
  const calls = fc.array(call, { minLength: 30, maxLength: 80 });

  it('available and reserved keep their sum, every piece has its order, and a released order stays released', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 0, max: 15 }), async (wanted, total) => {
        const [first, second] = [await productWith(total), await productWith(total)];
        const orders = Array.from({ length: 12 }, () => crypto.randomUUID());
        const ended = new AbortController();
        const asking = Promise.all(
          wanted.map(async ({ order, action, product, quantity }) => {
            const id = orders[order] ?? '';
            const product_id = product === 0 ? first : second;
            const answer = await (action === 'release' ? release(id) : reserve(id, { product_id, quantity }));
            const outcome = answer.status < 300 ? `${action}: ${answer.status}` : refusal(answer);
            seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
            return { id, outcome };
          }),
        ).finally(() => ended.abort());
        const [answers] = await Promise.all([asking, watch(first, total, ended.signal)]);

        const { rows } = await query(
          pool,
          'SELECT order_id, product_id, quantity::int, status FROM reservations WHERE order_id = ANY($1::uuid[])',
          [orders],
        );
        for (const product_id of [first, second]) {
          const held = rows.filter((row) => row.product_id === product_id && row.status === 'reserved');
          const reserved = held.reduce((sum, row) => sum + Number(row.quantity), 0);
          expect(await stockOf(product_id)).toEqual({ product_id, available: total - reserved, reserved });
        }
        for (const id of orders) {
          const outcomes = answers.filter((it) => it.id === id).map(({ outcome }) => outcome);
          expect(outcomes.filter((it) => it === 'reserve: 201').length).toBeLessThanOrEqual(1);
          const status = rows.find((row) => row.order_id === id)?.status as unknown;
          if (outcomes.includes('release: 200')) expect(status).toBe('released');
          else expect(status === 'reserved').toBe(outcomes.includes('reserve: 201'));
        }
      }),
      { numRuns: 25, endOnFailure: true },
    );
    // Without all of these the calls did not meet, and nothing was shown.
    const outcomes = ['409 conflict', '409 out_of_stock', 'release: 200', 'reserve: 200', 'reserve: 201'];
    expect([...seen.keys()].sort()).toEqual(outcomes);
  });

  /** Looks at the stock again and again: no one ever sees a piece that is on both sides, or on none. */
  async function watch(product: number, total: number, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const { available, reserved } = await stockOf(product);
      expect([available >= 0, reserved >= 0, available + reserved]).toEqual([true, true, total]);
    }
  }
});

describe('an inventory service without its database', () => {
  it('is alive but not ready, answers 503, and recovers by itself with what it kept', async () => {
    const product_id = await productWith(3);
    const order = crypto.randomUUID();
    await reserve(order, { product_id, quantity: 1 });
    await postgres.halt();
    try {
      for (const _replica of replicas) {
        expect((await ask('GET', '/healthz')).status).toBe(200);
        expect((await ask('GET', '/readyz')).body.reason).toMatch(/^database: /);
      }
      expect(refusal(await release(order))).toBe('503 unavailable');
    } finally {
      await postgres.resume();
    }
    expect((await release(order)).body.status).toBe('released');
    expect(await stockOf(product_id)).toEqual({ product_id, available: 3, reserved: 0 });
  });
});
