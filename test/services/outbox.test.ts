import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { database, query } from '../../services/common/src/database/postgres.ts';
import { type BrokerSession, keepConnected } from '../../services/common/src/messages/broker.ts';
import { declareOrderEvents } from '../../services/common/src/messages/order-events.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import {
  ask,
  brokerEnv,
  databaseEnv,
  depth,
  drain,
  metric,
  productEnv,
  tapOrderEvents,
  withChannel,
} from '../support/shop.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const wanted = { product_id: 2, quantity: 3, user_id: 'u-7' };
const patient = { timeout: 30_000, interval: 100 };

let postgres: Postgres;
let rabbitmq: RabbitMq;
let proxy: TcpProxy;
let product: ServiceProcess;
/** The environment of order-service, its broker behind the proxy. */
let env: Record<string, string>;
let pool: ReturnType<typeof database>;
const running: ServiceProcess[] = [];

beforeAll(async () => {
  [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitMq()]);
  proxy = await startTcpProxy(rabbitmq);
  const own = await postgres.createDatabase('orders');
  pool = database(settingsOf(own), recordingLog());
  product = await startService('product-service', databaseEnv(await postgres.createDatabase('product')));
  env = {
    ...databaseEnv(own),
    ...brokerEnv(rabbitmq, proxy.port),
    ...productEnv(product.grpcAddress),
    ORDER_DEADLINE_MS: '3600000', // nothing but the news of new orders: none is compensated meanwhile
  };
  await withChannel(rabbitmq, declareOrderEvents);
});
afterAll(async () => {
  await Promise.all([product?.stop(), pool?.end(), proxy?.stop()]);
  await Promise.all([postgres?.stop(), rabbitmq?.stop()]);
});

let tap: string;
beforeEach(async () => {
  await drain(rabbitmq, 'orders');
  tap = await tapOrderEvents(rabbitmq);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((it) => it.stop('SIGKILL')));
  await withChannel(rabbitmq, (channel) => channel.deleteQueue(tap));
});

async function startOrders(): Promise<ServiceProcess> {
  const order = await startService('order-service', env);
  running.push(order);
  return order;
}

/** Places orders at the same time; returns the ids of those that were answered 201. */
async function place(order: ServiceProcess, count: number): Promise<string[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, () => ask(`${order.url}/orders`, wanted).catch(() => undefined)),
  );
  return answers.flatMap((it) => (it?.status === 201 ? [String(it.body.id)] : []));
}

async function waiting(count: number): Promise<void> {
  const pending = async () => (await query<{ n: number }>(pool, 'SELECT count(*)::int AS n FROM outbox')).rows[0]?.n;
  await expect.poll(pending, patient).toBe(count);
}

/** The orders whose event arrived, as often as it arrived. */
async function arrived(queue: string): Promise<string[]> {
  const messages = await drain(rabbitmq, queue);
  return messages.map((message) => JSON.parse(message.content.toString()).order_id);
}

describe('the connection to the broker', () => {
  it('is given up when the broker says nothing, at its opening and later', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const settings = (port: number) => ({
      rabbitmqHost: '127.0.0.1',
      rabbitmqPort: port,
      rabbitmqUser: rabbitmq.user,
      rabbitmqPassword: rabbitmq.password,
      rabbitmqVhost: rabbitmq.vhost,
    });
    const untilLost = async ({ lost }: BrokerSession) => {
      if (!lost.aborted) await once(lost, 'abort');
    };
    const logs = { opening: recordingLog(), later: recordingLog() };
    const opening = keepConnected(settings((silent.address() as AddressInfo).port), logs.opening, untilLost);
    const later = keepConnected(settings(proxy.port), logs.later, untilLost);
    await expect.poll(() => later.check().then(() => 'connected'), patient).toBe('connected');
    proxy.swallowAnswers();
    await expect.poll(() => logs.opening.lines, patient).toContainEqual(expect.stringContaining('connect ETIMEDOUT'));
    await expect(opening.check()).rejects.toThrow('connect ETIMEDOUT');
    await expect.poll(() => logs.later.lines, patient).toContainEqual(expect.stringContaining('Heartbeat timeout'));
    proxy.cut();
    await Promise.all([opening.close(), later.close()]);
    silent.close();
  });
});

describe('the outbox', () => {
  it('hands each order over as a persistent OrderCreated message with id, version and trace', async () => {
    const order = await startOrders();
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const { body } = await ask(`${order.url}/orders`, wanted, {
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    });
    await expect.poll(() => depth(rabbitmq, 'orders'), patient).toBe(1);
    const [message] = await drain(rabbitmq, 'orders');
    expect(JSON.parse(message?.content.toString() ?? '')).toEqual({ order_id: body.id, ...wanted });
    expect(message?.properties).toMatchObject({
      type: 'OrderCreated',
      contentType: 'application/json',
      deliveryMode: 2,
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      headers: { 'schema-version': 1, traceparent: expect.stringContaining(trace) },
    });
    expect(message?.fields).toMatchObject({ exchange: 'orders.events', routingKey: 'order.created' });
    await waiting(0);
    expect(await metric(order.url, 'messages_published_total{type="OrderCreated"}')).toBe(1);
  });

  it('does not wait for the next look at the database when there is news', async () => {
    const order = await startOrders();
    await place(order, 1);
    await waiting(0);
    for (let count = 0; count < 4; count++) {
      await place(order, 1);
      const pending = async () => (await query(pool, 'SELECT id FROM outbox')).rowCount;
      await expect.poll(pending, { timeout: 1500, interval: 20 }).toBe(0);
    }
  });

  it('publishes each row once when two replicas work it off at the same time', async () => {
    const replicas = await Promise.all([startOrders(), startOrders()]);
    const warm = (await Promise.all(replicas.map((it) => place(it, 5)))).flat();
    await query(
      pool,
      `INSERT INTO outbox (id, type, schema_version, exchange, routing_key, body, due_at)
       SELECT gen_random_uuid(), 'OrderCreated', 1, 'orders.events', 'order.created',
              json_build_object('order_id', gen_random_uuid())::text, now() + interval '1 second'
       FROM generate_series(1, 1000)`,
    );
    await sleep(1200);
    const nudges = (await Promise.all(replicas.map((it) => place(it, 1)))).flat();
    await waiting(0);
    const seen = await arrived(tap);
    expect(seen).toHaveLength(1000 + warm.length + nudges.length);
    expect(new Set(seen).size).toBe(seen.length);
    const published = 'messages_published_total{type="OrderCreated"}';
    for (const replica of replicas) expect(await metric(replica.url, published)).toBeGreaterThan(100);
  });

  it('looks at the database only now and then while there is nothing to do', async () => {
    await query(pool, 'DELETE FROM sagas');
    await startOrders();
    const transactions = async () => {
      const sql = `SELECT xact_commit::int AS n FROM pg_stat_database WHERE datname = 'orders'`;
      return (await query<{ n: number }>(pool, sql)).rows[0]?.n ?? 0;
    };
    await sleep(2000);
    const before = await transactions();
    await sleep(6000);
    // A few are the test's own; a loop without a pause makes thousands.
    expect((await transactions()) - before).toBeLessThanOrEqual(20);
  });

  it('takes orders while the broker is stopped, and hands all of them over after its return', async () => {
    const order = await startOrders();
    await rabbitmq.halt();
    const placed = await place(order, 20);
    expect(placed).toHaveLength(20);
    expect((await ask(`${order.url}/readyz`)).status).toBe(200);
    expect(await metric(order.url, 'outbox_pending')).toBe(20);
    await rabbitmq.resume();
    await waiting(0);
    expect(new Set(await arrived('orders'))).toEqual(new Set(placed));
  });

  it('sends again what was published on a connection that broke before the confirm', async () => {
    const order = await startOrders();
    await expect.poll(() => order.log.some((line) => line.msg === 'connected to the broker')).toBe(true);
    await sleep(200);
    proxy.swallowAnswers();
    const placed = await place(order, 10);
    await expect.poll(() => depth(rabbitmq, 'orders'), patient).toBeGreaterThan(0);
    await waiting(10);
    proxy.cut();
    await waiting(0);
    const seen = await arrived('orders');
    expect(new Set(seen)).toEqual(new Set(placed));
    expect(seen.length).toBeGreaterThan(placed.length);
  });

  it('keeps what no queue takes, says so, and hands it over once a queue is there again', async () => {
    const order = await startOrders();
    await place(order, 1);
    await waiting(0);
    await withChannel(rabbitmq, async (channel) => {
      for (const queue of ['orders', 'analytics', tap]) await channel.deleteQueue(queue);
    });
    const placed = await place(order, 1);
    const unroutable = 'messages_unroutable_total{type="OrderCreated"}';
    await expect.poll(() => metric(order.url, unroutable), patient).toBe(1);
    expect(order.log).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'no queue takes this message; it stays in the outbox' }),
    );
    await waiting(0);
    expect(await arrived('orders')).toEqual(placed);
  });

  it('loses nothing when order-service is killed again and again under load', async () => {
    const placed: string[] = [];
    for (const enough of [1, 10, 25, 50, 100]) {
      const order = await startOrders();
      const before = placed.length;
      const customer = async () => {
        while (order.child.signalCode === null) placed.push(...(await place(order, 1)));
      };
      const customers = Array.from({ length: 20 }, customer);
      await expect.poll(() => placed.length - before, patient).toBeGreaterThanOrEqual(enough);
      await order.stop('SIGKILL');
      await Promise.all(customers);
    }
    await startOrders();
    await waiting(0);
    const kept = await query<{ id: string }>(pool, 'SELECT id FROM orders');
    const ids = new Set(kept.rows.map((row) => row.id));
    const seen = new Set(await arrived('orders'));
    expect(placed.filter((id) => !ids.has(id))).toEqual([]);
    expect(placed.filter((id) => !seen.has(id))).toEqual([]);
    expect(placed.length).toBeGreaterThanOrEqual(186);
  });

  it('loses nothing when order-service is killed between commit and publish', async () => {
    const order = await startOrders();
    await rabbitmq.halt();
    const placed = await place(order, 5);
    await order.stop('SIGKILL');
    await Promise.all([rabbitmq.resume(), startOrders()]);
    await waiting(0);
    expect((await arrived('orders')).sort()).toEqual(placed.sort());
  });

  it('goes on after a restart of the database', async () => {
    const order = await startOrders();
    await place(order, 1);
    await postgres.restart();
    await expect.poll(async () => (await place(order, 1)).length, patient).toBe(1);
    await waiting(0);
  });

  it('is left in order when the service is told to stop: exit code 0, nothing half done', async () => {
    const order = await startOrders();
    const placed = await place(order, 30);
    expect(await order.stop()).toEqual({ code: 0, signal: null });
    await startOrders();
    await waiting(0);
    expect((await arrived(tap)).sort()).toEqual(placed.sort());
  });
});
