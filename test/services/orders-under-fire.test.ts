import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { database, query } from '../../services/common/src/database/postgres.ts';
import { declareOrderEvents } from '../../services/common/src/messages/order-events.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, brokerEnv, databaseEnv, depth, metric, productEnv, withChannel } from '../support/shop.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** How many orders; `ORDERS=10000` for the whole campaign. */
const wanted = Number(process.env.ORDERS ?? 600);
const atOnce = 12;
const minutes = 60_000;

type Pool = ReturnType<typeof database>;

let postgres: Postgres;
let rabbitmq: RabbitMq;
let toDatabase: TcpProxy;
let toBroker: TcpProxy;
const pools: Record<string, Pool> = {};
const services: Record<string, ServiceProcess> = {};
let env: Record<string, string>;
let order: ServiceProcess;
let endDuplicates: () => Promise<number>;

beforeAll(async () => {
  [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitMq()]);
  [toDatabase, toBroker] = await Promise.all([startTcpProxy(postgres), startTcpProxy(rabbitmq)]);
  await withChannel(rabbitmq, declareOrderEvents);
  const consumers = ['notification', 'analytics'];
  const start = async (name: string) => {
    const own = await postgres.createDatabase(name);
    pools[name] = database(settingsOf(own), recordingLog());
    const broker = consumers.includes(name) ? brokerEnv(rabbitmq) : {};
    services[name] = await startService(`${name}-service`, { ...databaseEnv(own), ...broker });
  };
  await Promise.all(['product', 'inventory', 'payment', ...consumers].map(start));
  const own = await postgres.createDatabase('orders');
  pools.orders = database(settingsOf(own), recordingLog());
  env = {
    ...databaseEnv({ ...own, port: toDatabase.port }),
    ...brokerEnv(rabbitmq, toBroker.port),
    ...productEnv(services.product?.grpcAddress ?? ''),
    INVENTORY_SERVICE_URL: services.inventory?.url ?? '',
    PAYMENT_SERVICE_URL: services.payment?.url ?? '',
    ORDER_STEP_LEASE_MS: '3000',
    ORDER_DEADLINE_MS: '600000',
  };
  order = await startService('order-service', env);
  endDuplicates = await duplicateEverything();
});
afterAll(async () => {
  await Promise.all([order, ...Object.values(services)].map((it) => it?.stop('SIGKILL')));
  await Promise.all([toDatabase?.stop(), toBroker?.stop(), ...Object.values(pools).map((pool) => pool.end())]);
  await Promise.all([postgres?.stop(), rabbitmq?.stop()]);
});

/** Every event of an order arrives twice at each subscriber: a copy of each is laid into both queues. */
async function duplicateEverything(): Promise<() => Promise<number>> {
  let copied = 0;
  let ended = false;
  const session = async () => {
    const { host, port, user, password, vhost } = rabbitmq;
    const connection = await connect({ hostname: host, port, username: user, password, vhost }, { timeout: 5000 });
    const gone = new Promise<void>((resolve) => connection.once('close', () => resolve()));
    connection.on('error', () => undefined);
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    await channel.assertQueue('copies', { durable: true });
    await channel.bindQueue('copies', 'orders.events', 'order.*');
    await channel.consume('copies', (message) => {
      if (message === null) return;
      for (const queue of message.fields.routingKey === 'order.created' ? ['orders', 'analytics'] : ['analytics']) {
        channel.sendToQueue(queue, message.content, { ...message.properties, persistent: true });
      }
      channel.ack(message);
      copied += 1;
    });
    return { gone, close: () => connection.close() };
  };
  let current = await session();
  const keep = async () => {
    while (!ended) {
      await current.gone;
      while (!ended) {
        try {
          current = await session();
          break;
        } catch {
          await sleep(200);
        }
      }
    }
  };
  const kept = keep();
  return async () => {
    ended = true;
    await current.close().catch(() => undefined);
    await kept;
    return copied;
  };
}

/** A careful customer: asks again with the same key until there is an answer. */
async function placeUntilAnswered(at: number): Promise<string> {
  const key = { 'idempotency-key': `"order-${at}"` };
  for (let attempt = 0; attempt < 400; attempt++) {
    const answer = await ask(
      `${order.url}/orders`,
      { product_id: 1 + (at % 3), quantity: 1, user_id: `u-${at}` },
      key,
    ).catch(() => undefined);
    if (answer?.status === 201) return String(answer.body.id);
    await sleep(50);
  }
  throw new Error(`order ${at} was not answered`);
}

async function placeAll(): Promise<readonly string[]> {
  const ids: string[] = [];
  let next = 0;
  const customer = async () => {
    while (next < wanted) {
      const at = next++;
      ids[at] = await placeUntilAnswered(at);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, customer));
  return ids;
}

/** What the outbox says to database and broker, step by step: at each of these words the process dies. */
const steps: readonly (readonly [step: string, proxy: () => TcpProxy, words: string])[] = [
  ['the message is written', () => toDatabase, 'INSERT INTO outbox'],
  ['messages are claimed', () => toDatabase, 'FROM outbox WHERE due_at'],
  ['a message is published', () => toBroker, 'order.created'],
  ['a message was confirmed', () => toDatabase, 'DELETE FROM outbox'],
  ['an event is kept', () => toDatabase, 'INSERT INTO order_events'],
  ['an order has ended', () => toDatabase, 'DELETE FROM sagas'],
];

async function restartAt(proxy: TcpProxy, words: string): Promise<boolean> {
  const met = Promise.withResolvers<boolean>();
  proxy.whenClientSays(words, () => {
    order.child.kill('SIGKILL');
    met.resolve(true);
  });
  const timer = setTimeout(() => met.resolve(false), 10_000);
  const was = await met.promise;
  clearTimeout(timer);
  if (was) {
    await order.stop('SIGKILL');
    order = await startService('order-service', env);
  }
  return was;
}

/** Between publish and confirm: what was published arrives, and nobody learns of it. */
async function loseConfirms(): Promise<void> {
  toBroker.swallowAnswers();
  await sleep(300);
  toBroker.cut();
}

async function fire(over: () => boolean): Promise<Record<string, number>> {
  const done: Record<string, number> = {};
  const count = (what: string) => {
    done[what] = (done[what] ?? 0) + 1;
  };
  for (let round = 0; !over(); round++) {
    for (const [step, proxy, words] of steps) {
      if (over()) break;
      if (await restartAt(proxy(), words)) count(`killed when ${step}`);
      await sleep(500);
    }
    await loseConfirms();
    count('confirms lost');
    await sleep(500);
    if (round % 3 === 0) {
      await rabbitmq.restart();
      count('broker restarted');
    }
  }
  return done;
}

const numberOf = async (pool: string, sql: string) => {
  const { rows } = await query<{ n: number }>(pools[pool] as Pool, `SELECT ${sql}`);
  return Number(rows[0]?.n);
};

describe(`${wanted} orders under fire`, () => {
  it(
    'are each kept, reserved, paid and told of exactly once',
    async () => {
      const started = performance.now();
      let placed = false;
      const firing = fire(() => placed);
      const ids = await placeAll().finally(() => {
        placed = true;
      });
      const done = await firing;
      const seconds = ((performance.now() - started) / 1000).toFixed(0);

      const patient = { timeout: 5 * minutes, interval: 250 };
      await expect.poll(() => numberOf('orders', 'count(*) AS n FROM sagas'), patient).toBe(0);
      await expect.poll(() => numberOf('orders', 'count(*) AS n FROM outbox'), patient).toBe(0);
      const queues = ['copies', 'orders', 'analytics'];
      const waiting = async () => (await Promise.all(queues.map((queue) => depth(rabbitmq, queue)))).join(' ');
      await expect.poll(waiting, patient).toBe('0 0 0');
      const copied = await endDuplicates();
      const notified = () => numberOf('notification', 'count(*) AS n FROM notifications');
      await expect.poll(notified, patient).toBe(wanted);

      expect(new Set(ids).size).toBe(wanted);
      expect(await numberOf('orders', 'count(*) AS n FROM orders')).toBe(wanted);
      expect(await numberOf('orders', `count(*) AS n FROM orders WHERE status = 'completed'`)).toBe(wanted);
      expect(await numberOf('inventory', `count(*) AS n FROM reservations WHERE status = 'reserved'`)).toBe(wanted);
      expect(await numberOf('inventory', 'sum(reserved) AS n FROM stock')).toBe(wanted);
      expect(await numberOf('inventory', 'sum(available) AS n FROM stock')).toBe(500_000 - wanted);
      expect(await numberOf('payment', `count(*) AS n FROM payments WHERE status = 'charged'`)).toBe(wanted);
      expect(await numberOf('payment', 'round(sum(amount) * 100) AS n FROM payments')).toBe(
        await numberOf('orders', 'round(sum(total) * 100) AS n FROM orders'),
      );
      expect(await numberOf('notification', 'count(DISTINCT order_id) AS n FROM notifications')).toBe(wanted);
      expect(await numberOf('analytics', 'sum(created) AS n FROM product_counts')).toBe(wanted);
      expect(await numberOf('analytics', 'sum(completed) AS n FROM product_counts')).toBe(wanted);
      for (const queue of ['orders.dead', 'analytics.dead']) expect(await depth(rabbitmq, queue)).toBe(0);

      const duplicates = await Promise.all(
        ['notification', 'analytics'].map((name) =>
          metric(services[name]?.url ?? '', 'messages_consumed_total{outcome="duplicate"}'),
        ),
      );
      console.log(`${wanted} orders in ${seconds} s; ${copied} copies; duplicates ${duplicates.join(' and ')};`, done);
      for (const count of duplicates) expect(count).toBeGreaterThanOrEqual(wanted);
      for (const [step] of steps) expect(done[`killed when ${step}`], step).toBeGreaterThan(0);
      expect(done['broker restarted']).toBeGreaterThan(0);
    },
    90 * minutes,
  );
});
