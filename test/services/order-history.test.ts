import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../services/common/src/database/migrations.ts';
import { database, query } from '../../services/common/src/database/postgres.ts';
import { HistoryConflict } from '../../services/order-service/src/history.ts';
import { migrations } from '../../services/order-service/src/migrations.ts';
import type { VersionedOrder } from '../../services/order-service/src/order.ts';
import { storedOrders, storedSagas } from '../../services/order-service/src/repository.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { databaseEnv } from '../support/shop.ts';

let postgres: Postgres;
let own: PostgresDatabase;
let pool: ReturnType<typeof database>;
let orders: ReturnType<typeof storedOrders>;
let sagas: ReturnType<typeof storedSagas>;

beforeAll(async () => {
  postgres = await startPostgres();
  own = await postgres.createDatabase('orders');
  pool = database(settingsOf(own), recordingLog());
  await migrate(pool, migrations, recordingLog());
  [orders, sagas] = [storedOrders(pool, 60_000), storedSagas(pool, 20_000)];
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
});

async function placed(quantity = 1): Promise<VersionedOrder> {
  const id = crypto.randomUUID();
  const wanted = { product_id: 1, quantity, user_id: 'u', total: 24.9 * quantity, degraded: [] };
  await orders.place({ id, ...wanted }, { client: 'u', key: id, fingerprint: 'f' });
  return sagas.load(id);
}

const count = async (sql: string, ...values: unknown[]) => (await query(pool, sql, values)).rowCount;

describe('the history of an order', () => {
  it('takes the next event from one of several writers only, and keeps nothing of the others', async () => {
    let order = await placed();
    order = await sagas.record(order, [{ type: 'StockReserved' }]);
    const ends = [{ type: 'PaymentCharged' }, { type: 'OrderCompleted' }] as const;
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => sagas.record(order, ends)));
    const lost = results.filter((it) => it.status === 'rejected').map((it) => it.reason as unknown);
    expect(lost).toHaveLength(4);
    for (const reason of lost) expect(reason).toBeInstanceOf(HistoryConflict);
    expect(await count('SELECT FROM order_events WHERE order_id = $1', order.id)).toBe(4);
    expect(await count(`SELECT FROM outbox WHERE type = 'OrderCompleted' AND body LIKE $1`, `%${order.id}%`)).toBe(1);
  });

  it('lets an order be taken on by one process at a time, until its lease ends', async () => {
    await placed();
    const brief = storedSagas(pool, 200);
    const [one, two] = await Promise.all([brief.claim(100), brief.claim(100)]);
    const ids = [...(one ?? []), ...(two ?? [])].map(({ order_id }) => order_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await brief.claim(100)).toEqual([]);
    await expect.poll(async () => (await brief.claim(100)).length, { interval: 20 }).toBeGreaterThan(0);
  });

  it('lets no more orders be taken on than were asked for, whatever plan the database makes', async () => {
    const other = await postgres.createDatabase('orders_of_another_plan');
    const first = database(settingsOf(other), recordingLog());
    await migrate(first, migrations, recordingLog());
    await query(
      first,
      `INSERT INTO sagas (order_id, deadline_at) SELECT gen_random_uuid(), now() FROM generate_series(1, 50)`,
    );
    // What a planner may choose by itself when it knows little of a table: to look anew for each row.
    for (const way of ['hashjoin', 'mergejoin', 'hashagg', 'sort', 'material'])
      await query(first, `ALTER DATABASE orders_of_another_plan SET enable_${way} = off`);
    await first.end();
    const planned = database(settingsOf(other), recordingLog());
    expect(await storedSagas(planned, 20_000).claim(6)).toHaveLength(6);
    await planned.end();
  });

  it('is all that the view is made of: made anew it is the same, whatever was in it', async () => {
    const some = [await placed(1), await placed(2), await placed(3)] as const;
    await sagas.record(some[0], [{ type: 'StockReserved' }]);
    await sagas.record(some[1], [{ type: 'StockRefused', reason: 'none left' }, { type: 'OrderCompensated' }]);
    const before = await orders.page({ limit: 100, after: undefined });
    await query(pool, `UPDATE orders SET status = 'lost', details = '{}' WHERE quantity > 1`);
    await query(pool, 'DELETE FROM orders WHERE id = $1', [some[0].id]);
    expect(await orders.page({ limit: 100, after: undefined })).not.toEqual(before);

    const program = new URL('../../services/order-service/src/rebuild.ts', import.meta.url).pathname;
    const said = execFileSync(process.execPath, [program], { env: { ...process.env, ...databaseEnv(own) } }).toString();
    expect(said).toBe(`the view of ${before.items.length} orders was made anew\n`);
    expect(await orders.page({ limit: 100, after: undefined })).toEqual(before);
  });
});

describe('the schema of the release before', () => {
  const insertOld = `INSERT INTO orders (id, product_id, quantity, user_id, status, total) VALUES ($1, 2, 3, 'u', 'created', 22.5)`;

  it('is changed without losing an order: not those it has, and not those its replicas place meanwhile', async () => {
    const alone = database(settingsOf(await postgres.createDatabase('orders_before')), recordingLog());
    await migrate(alone, migrations.slice(0, 1), recordingLog());
    const [there, meanwhile] = [crypto.randomUUID(), crypto.randomUUID()];
    await query(alone, insertOld, [there]);
    await migrate(alone, migrations, recordingLog());
    await query(alone, insertOld, [meanwhile]);

    const begun = await storedSagas(alone, 1000).claim(10);
    expect(begun.map(({ order_id }) => order_id).sort()).toEqual([there, meanwhile].sort());
    for (const id of [there, meanwhile]) {
      expect(await storedSagas(alone, 1000).load(id)).toMatchObject({
        quantity: 3,
        total: 22.5,
        status: 'created',
        version: 1,
      });
      expect(await storedOrders(alone, 1000).find(id)).toMatchObject({ id, total: 22.5, status: 'created' });
    }
    await alone.end();
  });
});
