import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { database, query } from '../../services/common/src/database/postgres.ts';
import { declareOrderEvents } from '../../services/common/src/messages/order-events.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq.ts';
import { runService, type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, brokerEnv, databaseEnv, depth, drain, metric, productEnv, withChannel } from '../support/shop.ts';

const patient = { timeout: 30_000, interval: 100 };

let postgres: Postgres;
let rabbitmq: RabbitMq;
let env: Record<string, string>;
let pool: ReturnType<typeof database>;
let notification: ServiceProcess;

beforeAll(async () => {
  [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitMq()]);
  const own = await postgres.createDatabase('notification');
  pool = database(settingsOf(own), recordingLog());
  env = { ...databaseEnv(own), ...brokerEnv(rabbitmq) };
  await withChannel(rabbitmq, declareOrderEvents);
});
afterAll(async () => {
  await Promise.all([notification?.stop('SIGKILL'), pool?.end()]);
  await Promise.all([postgres?.stop(), rabbitmq?.stop()]);
});
beforeEach(async () => {
  const runs = notification?.child.exitCode === null && notification.child.signalCode === null;
  if (!runs) notification = await startService('notification-service', env);
});

function orderCreated(change: Record<string, unknown> = {}) {
  return { order_id: crypto.randomUUID(), product_id: 2, quantity: 3, user_id: 'u-7', ...change };
}

interface Envelope {
  readonly messageId?: string;
  readonly type?: string;
  readonly headers?: Record<string, unknown>;
}

/** Publishes as order-service does, unless told otherwise. */
function publish(body: unknown, envelope: Envelope = {}): Promise<void> {
  const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const options = { messageId: crypto.randomUUID(), type: 'OrderCreated', persistent: true, ...envelope };
  return withChannel(rabbitmq, async (channel) => {
    channel.publish('orders.events', 'order.created', content, options);
  });
}

async function notified(orderId: string): Promise<number> {
  const { rows } = await query(pool, 'SELECT id FROM notifications WHERE order_id = $1', [orderId]);
  return rows.length;
}

const untilNotified = (orderId: string) => expect.poll(() => notified(orderId), patient).toBe(1);

/** Nothing is waiting and nothing is unacknowledged: what the consumer held would come back when it is gone. */
async function expectQueueEmpty(): Promise<void> {
  await notification.stop();
  expect(await depth(rabbitmq, 'orders')).toBe(0);
}

describe('notification-service', () => {
  it('turns an order event into a notification that can be read by order', async () => {
    const event = orderCreated();
    await publish(event);
    await untilNotified(event.order_id);
    const { status, body } = await ask(`${notification.url}/notifications?order_id=${event.order_id}`);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        items: [
          {
            id: expect.stringMatching(/^[0-9a-f-]{36}$/),
            order_id: event.order_id,
            user_id: 'u-7',
            message: 'We have received your order of 3 pieces of product 2.',
            created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          },
        ],
      },
    });
    await expectQueueEmpty();
  });

  it.each([
    ['', 'order_id is required'],
    ['?order_id=17', 'order_id is not a UUID'],
  ])('answers /notifications%s with 400: %s', async (search, detail) => {
    expect((await ask(`${notification.url}/notifications${search}`)).body).toMatchObject({
      status: 400,
      detail,
    });
  });

  it('notifies once of a message that is delivered twice', async () => {
    const event = orderCreated();
    const messageId = crypto.randomUUID();
    await publish(event, { messageId });
    await publish(event, { messageId });
    const duplicates = () => metric(notification.url, 'messages_consumed_total{outcome="duplicate"}');
    await expect.poll(duplicates, patient).toBe(1);
    expect(await notified(event.order_id)).toBe(1);
    await expectQueueEmpty();
  });

  it('lays messages that cannot be used to the dead letters with the reason, and goes on with the next', async () => {
    const next = orderCreated();
    await publish('order 17, please', { messageId: 'poison-1' });
    await publish(orderCreated({ quantity: '3' }), {
      messageId: 'poison-2',
      headers: { 'schema-version': 1 },
    });
    await publish(next);
    await untilNotified(next.order_id);
    await expect.poll(() => depth(rabbitmq, 'orders.dead'), patient).toBe(2);
    const dead = await drain(rabbitmq, 'orders.dead');
    const byId = new Map(dead.map(({ properties, content }) => [properties.messageId, { properties, content }]));
    const reasons = ['the body is not a JSON object', 'quantity is not a positive integer'];
    expect(byId.get('poison-1')?.content.toString()).toBe('order 17, please');
    expect(byId.get('poison-1')?.properties.headers).toEqual({ 'dead-letter-reason': reasons[0] });
    expect(byId.get('poison-2')?.properties.headers).toEqual({
      'schema-version': 1,
      'dead-letter-reason': reasons[1],
    });
    for (const reason of reasons)
      expect(notification.log).toContainEqual(expect.objectContaining({ level: 'error', reason }));
    await expectQueueEmpty();
  });

  it('leaves messages in the queue while the database is away, without a hot loop, and works them off afterwards', async () => {
    await postgres.halt('immediate');
    const events = Array.from({ length: 15 }, () => orderCreated());
    for (const event of events) await publish(event);
    const failures = () => notification.log.filter((line) => line.msg === 'no session with the broker').length;
    await expect.poll(failures, patient).toBeGreaterThanOrEqual(3);
    expect(failures()).toBeLessThanOrEqual(5);
    expect((await ask(`${notification.url}/readyz`)).body.reason).toContain('database');
    await postgres.resume();
    for (const event of events) await untilNotified(event.order_id);
    expect(await depth(rabbitmq, 'orders.dead')).toBe(0);
    await expectQueueEmpty();
  });

  it('is not ready without the broker and says why; connects again by itself', async () => {
    await expect.poll(async () => (await ask(`${notification.url}/readyz`)).status, patient).toBe(200);
    await rabbitmq.halt();
    await expect
      .poll(async () => (await ask(`${notification.url}/readyz`)).body, patient)
      .toMatchObject({
        status: 'unhealthy',
        reason: expect.stringMatching(/^broker: .*ECONNREFUSED/),
      });
    expect((await ask(`${notification.url}/healthz`)).status).toBe(200);
    await rabbitmq.resume();
    const event = orderCreated();
    await publish(event);
    await untilNotified(event.order_id);
    await expect.poll(async () => (await ask(`${notification.url}/readyz`)).status, patient).toBe(200);
  });

  it('makes the queue again when somebody deleted it', async () => {
    await withChannel(rabbitmq, (channel) => channel.deleteQueue('orders'));
    const again = async () => {
      const event = orderCreated();
      await publish(event);
      await expect.poll(() => notified(event.order_id), { timeout: 1000 }).toBe(1);
      return true;
    };
    await expect.poll(() => again().catch(() => false), patient).toBe(true);
  });

  it('finishes and acknowledges what it holds when it is told to stop', async () => {
    // The lock holds the transactions open until the service is already stopping.
    const events = Array.from({ length: 4 }, () => orderCreated());
    const client = await pool.connect();
    await client.query('BEGIN; LOCK TABLE processed_messages IN EXCLUSIVE MODE');
    for (const event of events) await publish(event);
    const waiting = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
    await expect.poll(async () => (await query<{ n: number }>(pool, waiting)).rows[0]?.n, patient).toBe(4);
    const ended = notification.stop();
    await expect.poll(() => notification.log.some((line) => line.msg === 'draining'), patient).toBe(true);
    await client.query('COMMIT');
    client.release();
    expect(await ended).toEqual({ code: 0, signal: null });
    for (const event of events) expect(await notified(event.order_id)).toBe(1);
    expect(await depth(rabbitmq, 'orders')).toBe(0);
  });

  it('names every fault of its environment at once and does not start', async () => {
    const { ended, log } = runService('notification-service', { DB_PORT: 'x', RABBITMQ_PORT: '-1' });
    expect((await ended).code).toBe(1);
    const output = log.map((line) => String(line.msg)).join('\n');
    expect(output).toContain('the environment has 9 faults');
    for (const name of ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASSWORD', 'DB_NAME'])
      expect(output).toContain(`${name} is`);
    for (const name of ['HOST', 'PORT', 'USER', 'PASSWORD']) expect(output).toContain(`RABBITMQ_${name} is`);
  });
});

describe('order-service and notification-service together', () => {
  let order: ServiceProcess;
  let product: ServiceProcess;
  beforeAll(async () => {
    product = await startService('product-service', databaseEnv(await postgres.createDatabase('product')));
    const own = await postgres.createDatabase('orders');
    const address = productEnv(product.grpcAddress);
    order = await startService('order-service', { ...databaseEnv(own), ...brokerEnv(rabbitmq), ...address });
  });
  afterAll(() => Promise.all([order?.stop('SIGKILL'), product?.stop('SIGKILL')]));

  const place = async (headers: Record<string, string> = {}) => {
    const wanted = { product_id: 1, quantity: 1, user_id: 'u-1' };
    const { status, body } = await ask(`${order.url}/orders`, wanted, headers);
    expect(status).toBe(201);
    return String(body.id);
  };

  it('carry one trace from the request to the notification', async () => {
    const trace_id = crypto.randomUUID().replaceAll('-', '');
    const order_id = await place({ traceparent: `00-${trace_id}-b7ad6b7169203331-01` });
    await untilNotified(order_id);
    expect(notification.log).toContainEqual(
      expect.objectContaining({ msg: 'order event consumed', order_id, trace_id }),
    );
  });

  it('notify of every order exactly once while consumer, broker and database are broken one after the other', async () => {
    const orders: string[] = [];
    const some = async () => orders.push(await place(), await place(), await place());
    await some();
    await notification.stop('SIGKILL');
    await some();
    await rabbitmq.halt();
    await some();
    notification = await startService('notification-service', env);
    await some();
    await rabbitmq.resume();
    await some();
    await postgres.restart();
    await expect.poll(() => some().catch(() => 0), patient).toBeGreaterThan(0);
    for (const id of orders) await untilNotified(id);
    expect(await depth(rabbitmq, 'orders.dead')).toBe(0);
  });
});
