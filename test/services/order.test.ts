import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { database, query } from '../../services/common/src/database/postgres.ts';
import { freePort } from '../support/daemon.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { runService, type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, brokerEnv, databaseEnv, metric, productEnv } from '../support/shop.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const wanted = { product_id: 2, quantity: 3, user_id: 'u-7' };

let postgres: Postgres;
let own: PostgresDatabase;
let product: ServiceProcess;
let order: ServiceProcess;
let env: Record<string, string>;
let pool: ReturnType<typeof database>;

beforeAll(async () => {
  postgres = await startPostgres();
  own = await postgres.createDatabase('orders');
  product = await startService('product-service', {
    ...databaseEnv(await postgres.createDatabase('product')),
    OTEL_TRACES_EXPORTER: 'console',
  });
  // Nobody listens there: the whole of this file is answered without a broker.
  const nobody = { host: '127.0.0.1', port: await freePort(), user: 'shop', password: 'none', vhost: '/' };
  env = { ...databaseEnv(own), ...brokerEnv(nobody), ...productEnv(product.grpcAddress) };
  order = await startService('order-service', env);
  pool = database(settingsOf(own), recordingLog());
});
afterAll(async () => {
  await Promise.all([order?.stop(), product?.stop(), pool?.end()]);
  await postgres?.stop();
});

describe('POST /orders', () => {
  it('accepts an order at the price of the product and says where it is, without a broker', async () => {
    const { status, headers, body } = await ask(`${order.url}/orders`, wanted);
    expect(status).toBe(201);
    expect(body).toEqual({
      ...wanted,
      id: expect.stringMatching(uuid),
      status: 'created',
      total: 22.5,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      // There is no user-service here.
      degraded: ['user'],
      reason: null,
      steps: [
        { name: 'reserve', status: 'pending', at: null },
        { name: 'charge', status: 'pending', at: null },
      ],
    });
    expect(headers.get('location')).toBe(`/orders/${body.id}`);
    expect((await ask(`${order.url}${headers.get('location')}`)).body).toMatchObject(body);
  });

  it('writes the event beside the order: these four fields, version and trace around them', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const { body } = await ask(`${order.url}/orders`, wanted, {
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    });
    const { rows } = await query(pool, 'SELECT * FROM outbox WHERE body LIKE $1', [`%${body.id}%`]);
    expect(rows).toMatchObject([
      {
        type: 'OrderCreated',
        schema_version: 1,
        exchange: 'orders.events',
        routing_key: 'order.created',
        traceparent: expect.stringMatching(`^00-${trace}-[0-9a-f]{16}-01$`),
      },
    ]);
    expect(JSON.parse(String(rows[0]?.body))).toEqual({ order_id: body.id, ...wanted });
  });

  it('carries the trace to product-service', async () => {
    const trace = crypto.randomUUID().replaceAll('-', '');
    await ask(`${order.url}/orders`, wanted, { traceparent: `00-${trace}-b7ad6b7169203331-01` });
    await expect
      .poll(() => product.log.map((line) => JSON.stringify(line)).join(), { timeout: 10_000 })
      .toContain(trace);
  });

  it('keeps neither the order nor the event when one of them cannot be kept', async () => {
    const before = await query(pool, 'SELECT count(*) FROM orders');
    await query(pool, 'ALTER TABLE outbox ADD CONSTRAINT full_up CHECK (false) NOT VALID');
    const { status, body } = await ask(`${order.url}/orders`, wanted);
    await query(pool, 'ALTER TABLE outbox DROP CONSTRAINT full_up');
    expect({ status, code: body.code }).toEqual({ status: 500, code: 'internal' });
    expect((await query(pool, 'SELECT count(*) FROM orders')).rows).toEqual(before.rows);
  });

  it('names every faulty field at once', async () => {
    const { status, headers, body } = await ask(`${order.url}/orders`, { product_id: '2', quantity: 0 });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json\b/);
    expect(body).toMatchObject({
      code: 'invalid_request',
      errors: [
        { field: 'product_id', message: 'product_id is not a whole number from 1 to 2147483647' },
        { field: 'quantity', message: 'quantity is not a whole number from 1 to 10000' },
        { field: 'user_id', message: 'user_id is required' },
      ],
    });
  });

  it('answers 404 for a product that does not exist', async () => {
    const { status, body } = await ask(`${order.url}/orders`, { ...wanted, product_id: 42 });
    expect({ status, code: body.code, detail: body.detail }).toEqual({
      status: 404,
      code: 'not_found',
      detail: 'product 42 does not exist',
    });
  });
});

describe('GET /orders', () => {
  it('answers 400 for an id that is no UUID and 404 for an order that does not exist', async () => {
    expect((await ask(`${order.url}/orders/17`)).body).toMatchObject({
      status: 400,
      detail: 'id is not a UUID',
    });
    const unknown = crypto.randomUUID();
    expect((await ask(`${order.url}/orders/${unknown}`)).body).toMatchObject({
      status: 404,
      detail: `there is no order ${unknown}`,
    });
  });

  it('goes through all orders page by page, each once, oldest first', async () => {
    await Promise.all(Array.from({ length: 7 }, () => ask(`${order.url}/orders`, wanted)));
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const { body } = await ask(`${order.url}/orders?limit=3${after}`);
      seen.push(...body.items.map((it: { id: string }) => it.id));
      if (body.next === null) break;
      after = `&after=${body.next}`;
    }
    const { rows } = await query(pool, 'SELECT id FROM orders ORDER BY position');
    expect(seen).toEqual(rows.map((row) => row.id));
    expect(seen.length).toBeGreaterThanOrEqual(7);
  });

  it.each([
    ['limit=0', 'limit is not a whole number from 1 to 100'],
    ['limit=101', 'limit is not a whole number from 1 to 100'],
    ['limit=x&after=y', 'after is not the id of an order; limit is not a whole number from 1 to 100'],
    ['after=00000000-0000-0000-0000-000000000000', 'after is not the id of an order'],
  ])('refuses the page %s', async (page, detail) => {
    expect((await ask(`${order.url}/orders?${page}`)).body).toMatchObject({ status: 400, detail });
  });

  it('answers another method with 405 and what is allowed', async () => {
    const response = await fetch(`${order.url}/orders`, { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  });
});

describe('order-service', () => {
  it('is ready without the broker and tells how many messages wait for it', async () => {
    expect((await ask(`${order.url}/readyz`)).body).toMatchObject({ status: 'healthy', version: '0.1.0' });
    const { rows } = await query<{ count: string }>(pool, 'SELECT count(*) FROM outbox');
    expect(await metric(order.url, 'outbox_pending')).toBe(Number(rows[0]?.count));
    expect(await metric(order.url, 'outbox_oldest_seconds')).toBeGreaterThan(0);
  });

  it('answers 503 while the database is away, says so at /readyz, and works again afterwards', async () => {
    await postgres.halt('immediate');
    expect((await ask(`${order.url}/orders`, wanted)).body).toMatchObject({
      status: 503,
      code: 'unavailable',
    });
    expect((await ask(`${order.url}/readyz`)).body).toMatchObject({
      status: 'unhealthy',
      reason: expect.stringContaining('database'),
    });
    expect(await metric(order.url, 'outbox_pending')).toBeNaN();
    await postgres.resume();
    await expect.poll(async () => (await ask(`${order.url}/orders`, wanted)).status).toBe(201);
    expect((await ask(`${order.url}/readyz`)).status).toBe(200);
  });

  it('takes the last known price while product-service is away, says so, and answers 503 where it knows none', async () => {
    const address = product.grpcAddress;
    await product.stop('SIGKILL');
    const known = await ask(`${order.url}/orders`, wanted);
    expect(known.body).toMatchObject({ status: 'created', total: 22.5, degraded: ['price', 'user'] });
    const answer = await ask(`${order.url}/orders`, { ...wanted, product_id: 5 });
    expect(answer.body).toMatchObject({
      status: 503,
      code: 'unavailable',
      detail: 'product-service cannot be reached; try again in a moment',
    });
    product = await startService('product-service', {
      ...databaseEnv({ ...own, ...(await postgres.createDatabase('product_again')) }),
      GRPC_PORT: address.split(':')[1] ?? '',
    });
    const again = async () => (await ask(`${order.url}/orders`, { ...wanted, product_id: 5 })).status;
    await expect.poll(again, { timeout: 5000 }).toBe(201);
  });

  it('answers 504 after five seconds when product-service says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await expect.poll(() => silent.address()).not.toBeNull();
    const { port } = silent.address() as { port: number };
    const slow = await startService('order-service', { ...env, ...productEnv(`127.0.0.1:${port}`) });
    const start = performance.now();
    const { body } = await ask(`${slow.url}/orders`, wanted);
    const seconds = (performance.now() - start) / 1000;
    await slow.stop();
    silent.close();
    expect(body).toMatchObject({
      status: 504,
      code: 'upstream_timeout',
      detail: 'product-service did not answer within 5000 ms',
    });
    expect(seconds).toBeGreaterThan(4.9);
    expect(seconds).toBeLessThan(6);
  });

  it('names every fault of its environment at once and does not start', async () => {
    const { ended, log } = runService('order-service', {
      DB_PORT: '99999',
      RABBITMQ_PORT: 'amqp',
      LOG_LEVEL: 'loud',
    });
    expect((await ended).code).toBe(1);
    const output = log.map((line) => String(line.msg)).join('\n');
    const names = ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASSWORD', 'DB_NAME', 'LOG_LEVEL', 'RABBITMQ_HOST'].concat([
      'RABBITMQ_PORT',
      'RABBITMQ_USER',
      'RABBITMQ_PASSWORD',
      'PRODUCT_SERVICE_HOST',
      'PRODUCT_SERVICE_PORT',
      'USER_SERVICE_URL',
      'INVENTORY_SERVICE_URL',
      'PAYMENT_SERVICE_URL',
    ]);
    expect(output).toContain('the environment has 15 faults');
    for (const name of names) expect(output).toContain(`${name} is`);
  });
});
