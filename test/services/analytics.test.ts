import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { declareOrderEvents, type OrderEventType } from '../../services/common/src/messages/order-events.ts';
import { orderEvent, type PublishedEvent, publishEvents } from '../support/order-events.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq.ts';
import { runService, type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, brokerEnv, databaseEnv, depth, drain, metric, withChannel } from '../support/shop.ts';

const patient = { timeout: 30_000, interval: 100 };

let postgres: Postgres;
let rabbitmq: RabbitMq;
const env: Record<string, Record<string, string>> = {};
let analytics: ServiceProcess;
let notification: ServiceProcess;
/** Events that were published before any subscriber ever ran. */
const early = { product_id: 1, quantity: 4 };
let unroutable: number;

beforeAll(async () => {
  [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitMq()]);
  for (const name of ['analytics', 'notification'])
    env[name] = { ...databaseEnv(await postgres.createDatabase(name)), ...brokerEnv(rabbitmq) };
  await withChannel(rabbitmq, declareOrderEvents);
  unroutable = await publishEvents(rabbitmq, [
    created(early),
    { type: 'OrderCompleted', body: orderEvent(early) },
    { type: 'OrderCompensated', body: orderEvent(early) },
  ]);
});
afterAll(async () => {
  await Promise.all([analytics?.stop('SIGKILL'), notification?.stop('SIGKILL')]);
  await Promise.all([postgres?.stop(), rabbitmq?.stop()]);
});
beforeEach(async () => {
  const running = (it?: ServiceProcess) => it?.child.exitCode === null && it.child.signalCode === null;
  if (!running(analytics)) analytics = await startService('analytics-service', env.analytics ?? {});
  if (!running(notification)) notification = await startService('notification-service', env.notification ?? {});
});

function created(change: Record<string, unknown>): PublishedEvent & { readonly body: { order_id: string } } {
  return { type: 'OrderCreated', body: orderEvent(change), messageId: crypto.randomUUID() };
}

function events(type: OrderEventType, count: number, change: Record<string, unknown>): readonly PublishedEvent[] {
  const messageId = () => crypto.randomUUID();
  return Array.from({ length: count }, () => ({ type, body: orderEvent(change), messageId: messageId() }));
}

async function counted(product: number): Promise<unknown> {
  const { body } = await ask(`${analytics.url}/analytics/products?after=${product - 1}&limit=1`);
  return body.items?.find((item: { product_id: number }) => item.product_id === product);
}

async function notified({ body }: { readonly body: { order_id: string } }): Promise<number> {
  const answer = await ask(`${notification.url}/notifications?order_id=${body.order_id}`);
  return answer.body.items.length;
}

describe('analytics-service', () => {
  it('counts even what was published before it ever ran: nothing is unroutable, whoever starts first', async () => {
    expect(unroutable).toBe(0);
    const counts = { product_id: 1, created: 1, completed: 1, compensated: 1, quantity: 4 };
    await expect.poll(() => counted(1), patient).toEqual(counts);
  });

  it('counts orders and pieces by product, whatever the order of arrival, each message once', async () => {
    const all = [
      ...events('OrderCompleted', 3, { product_id: 20, quantity: 2 }),
      ...events('OrderCreated', 5, { product_id: 20, quantity: 2 }),
      ...events('OrderCompensated', 1, { product_id: 20, quantity: 2 }),
      ...events('OrderCreated', 1, { product_id: 21, quantity: 2_147_483_647 }),
      ...events('OrderCreated', 1, { product_id: 21, quantity: 2_147_483_647 }),
    ];
    await publishEvents(rabbitmq, [...all, ...all]);
    const duplicates = () => metric(analytics.url, 'messages_consumed_total{outcome="duplicate"}');
    await expect.poll(duplicates, patient).toBe(all.length);
    expect(await counted(20)).toEqual({ product_id: 20, created: 5, completed: 3, compensated: 1, quantity: 10 });
    expect(await counted(21)).toEqual({
      product_id: 21,
      created: 2,
      completed: 0,
      compensated: 0,
      quantity: 4_294_967_294,
    });
  });

  it('lists every product once over pages, by id', async () => {
    const products = Array.from({ length: 7 }, (_, index) => 310 - index);
    await publishEvents(
      rabbitmq,
      products.map((product_id) => created({ product_id })),
    );
    for (const product of products) await expect.poll(() => counted(product), patient).toBeDefined();
    const seen: number[] = [];
    let after: number | null = 300;
    while (after !== null) {
      const { body } = await ask(`${analytics.url}/analytics/products?limit=3&after=${after}`);
      expect(body.items.length).toBeLessThanOrEqual(3);
      seen.push(...body.items.map((item: { product_id: number }) => item.product_id));
      after = body.next;
    }
    expect(seen).toEqual(products.toReversed());
    const beyond = await ask(`${analytics.url}/analytics/products?after=${Number.MAX_SAFE_INTEGER}`);
    expect(beyond.body).toEqual({ items: [], next: null });
  });

  it.each([
    ['limit=0', 'limit is not a whole number from 1 to 100'],
    ['limit=101', 'limit is not a whole number from 1 to 100'],
    ['after=x', 'after is not a whole number from 0 to 9007199254740991'],
    ['limit=1&limit=2', 'limit is not a whole number from 1 to 100'],
  ])('answers /analytics/products?%s with 400: %s', async (search, detail) => {
    const { status, body } = await ask(`${analytics.url}/analytics/products?${search}`);
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 'invalid_request', detail } });
  });

  it('lays what it cannot read to its own dead letters, and counts none of it', async () => {
    const wrong = { type: 'OrderCompleted', body: orderEvent({ product_id: 40, quantity: 0 }), messageId: 'wrong' };
    await publishEvents(rabbitmq, [wrong as PublishedEvent, created({ product_id: 40, quantity: 1 })]);
    await expect.poll(() => depth(rabbitmq, 'analytics.dead'), patient).toBe(1);
    const [dead] = await drain(rabbitmq, 'analytics.dead');
    expect(dead?.properties).toMatchObject({
      messageId: 'wrong',
      type: 'OrderCompleted',
      headers: { 'dead-letter-reason': 'quantity is not a positive integer' },
    });
    expect(dead?.fields.routingKey).toBe('order.completed');
    await expect.poll(() => counted(40), patient).toMatchObject({ created: 1, completed: 0 });
    expect(await depth(rabbitmq, 'orders.dead')).toBe(0);
  });

  it('loses nothing and counts nothing twice while it, the database and the broker are broken one after the other', async () => {
    const all = events('OrderCreated', 400, { product_id: 50, quantity: 1 });
    await publishEvents(rabbitmq, all.slice(0, 200));
    await expect.poll(async () => ((await counted(50)) as { created: number })?.created, patient).toBeGreaterThan(0);
    await analytics.stop('SIGKILL');
    analytics = await startService('analytics-service', env.analytics ?? {});
    await publishEvents(rabbitmq, all.slice(0, 200));
    await postgres.restart();
    await publishEvents(rabbitmq, all.slice(200));
    await rabbitmq.restart();
    await publishEvents(rabbitmq, all.slice(200));
    const counts = { product_id: 50, created: 400, completed: 0, compensated: 0, quantity: 400 };
    await expect.poll(() => counted(50).catch(() => undefined), patient).toEqual(counts);
    await expect.poll(async () => (await ask(`${analytics.url}/readyz`)).status, patient).toBe(200);
    await expect.poll(() => depth(rabbitmq, 'analytics'), patient).toBe(0);
    await analytics.stop();
    expect(await depth(rabbitmq, 'analytics')).toBe(0);
    expect(await depth(rabbitmq, 'analytics.dead')).toBe(0);
    analytics = await startService('analytics-service', env.analytics ?? {});
    expect(await counted(50)).toEqual(counts);
  });

  it('names every fault of its environment at once and does not start', async () => {
    const { ended, log } = runService('analytics-service', { DB_PORT: 'x', RABBITMQ_PORT: '-1' });
    expect((await ended).code).toBe(1);
    expect(log.map((line) => String(line.msg)).join('\n')).toContain('the environment has 9 faults');
  });
});

describe('analytics-service and notification-service', () => {
  it('each receive every event of the types they asked for, and no other', async () => {
    const order = created({ product_id: 60, quantity: 1 });
    const later = (['OrderCompleted', 'OrderCompensated'] as const).map((type) => ({
      ...order,
      type,
      messageId: type,
    }));
    await publishEvents(rabbitmq, [order, ...later]);
    const counts = { product_id: 60, created: 1, completed: 1, compensated: 1, quantity: 1 };
    await expect.poll(() => counted(60), patient).toEqual(counts);
    await expect.poll(() => notified(order), patient).toBe(1);
    await notification.stop();
    expect(await depth(rabbitmq, 'orders')).toBe(0);
    expect(await depth(rabbitmq, 'orders.dead')).toBe(0);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('go on without each other after %s, and catch up later', async (signal) => {
    const product_id = signal === 'SIGTERM' ? 70 : 71;
    await notification.stop(signal);
    const first = created({ product_id, quantity: 1 });
    await publishEvents(rabbitmq, [first]);
    await expect.poll(() => counted(product_id), patient).toMatchObject({ created: 1 });
    expect(await depth(rabbitmq, 'orders')).toBe(1);

    notification = await startService('notification-service', env.notification ?? {});
    await expect.poll(() => notified(first), patient).toBe(1);
    await analytics.stop(signal);
    const second = created({ product_id, quantity: 1 });
    await publishEvents(rabbitmq, [second]);
    await expect.poll(() => notified(second), patient).toBe(1);
    expect(await depth(rabbitmq, 'analytics')).toBe(1);

    analytics = await startService('analytics-service', env.analytics ?? {});
    await expect.poll(() => counted(product_id), patient).toMatchObject({ created: 2, quantity: 2 });
  });
});
