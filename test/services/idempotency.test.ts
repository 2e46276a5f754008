import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { database, query } from '../../services/common/src/database/postgres.ts';
import { freePort } from '../support/daemon.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, brokerEnv, databaseEnv, productEnv } from '../support/shop.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const wanted = { product_id: 2, quantity: 3, user_id: 'u-7' };

let postgres: Postgres;
let pool: ReturnType<typeof database>;
let product: ServiceProcess;
let env: Record<string, string>;
let orders: readonly [ServiceProcess, ServiceProcess];

beforeAll(async () => {
  postgres = await startPostgres();
  const own = await postgres.createDatabase('orders');
  pool = database(settingsOf(own), recordingLog());
  product = await startService('product-service', databaseEnv(await postgres.createDatabase('product')));
  const nobody = { host: '127.0.0.1', port: await freePort(), user: 'shop', password: 'none', vhost: '/' };
  env = { ...databaseEnv(own), ...brokerEnv(nobody), ...productEnv(product.grpcAddress) };
  orders = await Promise.all([startService('order-service', env), startService('order-service', env)]);
});
afterAll(async () => {
  await Promise.all([...(orders ?? []), product].map((it) => it?.stop('SIGKILL')));
  await pool?.end();
  await postgres?.stop();
});

const keyed = (key: string) => ({ 'idempotency-key': `"${key}"` });

async function placed(key: string, body: object = wanted, at = orders[0]) {
  return ask(`${at.url}/orders`, body, keyed(key));
}

async function count(table: 'orders' | 'outbox' | 'sagas', column: string, ids: readonly string[]): Promise<number> {
  const { rows } = await query<{ n: number }>(
    pool,
    `SELECT count(*)::int AS n FROM ${table} WHERE ${column} = ANY($1)`,
    [ids],
  );
  return rows[0]?.n ?? 0;
}

describe('POST /orders with an Idempotency-Key', () => {
  it('is answered the second time as the first, and marked so, and places no other order', async () => {
    const key = crypto.randomUUID();
    const first = await placed(key);
    const again = await placed(key, { user_id: 'u-7', quantity: 3, product_id: 2 }, orders[1]);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(await count('sagas', 'order_id', [first.body.id])).toBe(1);
  });

  it('gives one order for fifty equal requests at once, at two replicas; the others are replays, or told to wait', async () => {
    const key = crypto.randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => placed(key, wanted, orders[at % 2 ? 1 : 0])),
    );
    const taken = answers.filter(({ status }) => status === 201);
    const told = answers.filter(({ status }) => status === 409);
    expect(taken.length + told.length).toBe(50);
    expect(taken.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    expect(new Set(taken.map(({ body }) => body.id)).size).toBe(1);
    for (const { body } of told) expect(body.code).toBe('idempotency_key_in_use');
    const { rows } = await query(pool, 'SELECT answer FROM idempotency_keys WHERE key = $1', [key]);
    expect(rows).toHaveLength(1);
    expect(await count('orders', 'id', [taken[0]?.body.id])).toBe(1);
    expect((await placed(key)).body.id).toBe(taken[0]?.body.id);
  });

  it('is refused when the key was used for something else', async () => {
    const key = crypto.randomUUID();
    await placed(key);
    const { status, body } = await placed(key, { ...wanted, quantity: 4 });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'idempotency_key_reused' });
  });

  it('is refused without a key, with what to do', async () => {
    const response = await fetch(`${orders[0].url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wanted),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringMatching(/^the header Idempotency-Key is required: a new UUID for a new order/),
    });
  });

  it('of one user does not meet the same key of another', async () => {
    const key = crypto.randomUUID();
    const mine = await placed(key);
    const theirs = await placed(key, { ...wanted, user_id: 'u-8' });
    expect(theirs.status).toBe(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it('may come again with the same key after a failure that kept nothing', async () => {
    const key = crypto.randomUUID();
    expect((await placed(key, { ...wanted, product_id: 42 })).status).toBe(404);
    expect((await placed(key)).status).toBe(201);
  });

  it('is replayed by another process when the first died after its commit, before its answer', async () => {
    const alone = await postgres.createDatabase('orders_alone');
    const proxy = await startTcpProxy(postgres);
    const first = await startService('order-service', { ...env, ...databaseEnv({ ...alone, port: proxy.port }) });
    const key = crypto.randomUUID();
    proxy.whenClientSays('COMMIT', () => proxy.swallowAnswers());
    const answer = placed(key, wanted, first).catch(() => 'none');
    await expect.poll(() => ordersIn(alone)).toHaveLength(1);
    await first.stop('SIGKILL');
    expect(await answer).toBe('none');
    await proxy.stop();

    const second = await startService('order-service', { ...env, ...databaseEnv(alone) });
    const again = await placed(key, wanted, second);
    await second.stop('SIGKILL');
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect([again.body.id]).toEqual(await ordersIn(alone));
  });
});

async function ordersIn(own: PostgresDatabase): Promise<readonly string[]> {
  const there = database(settingsOf(own), recordingLog());
  const { rows } = await query<{ id: string }>(there, 'SELECT id FROM orders');
  await there.end();
  return rows.map(({ id }) => id);
}
