import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../services/common/src/database/migrations.ts';
import { database } from '../../services/common/src/database/postgres.ts';
import type { OrderEvent } from '../../services/order-service/src/events.ts';
import { orderFollowers } from '../../services/order-service/src/followers.ts';
import { readNews } from '../../services/order-service/src/history.ts';
import { migrations } from '../../services/order-service/src/migrations.ts';
import { storedOrders, storedSagas } from '../../services/order-service/src/repository.ts';
import { freePort } from '../support/daemon.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { follow } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, brokerEnv, databaseEnv, metric, productEnv, routesEnv } from '../support/shop.ts';

let postgres: Postgres;
let own: PostgresDatabase;
let pool: ReturnType<typeof database>;
let service: ServiceProcess;

beforeAll(async () => {
  postgres = await startPostgres();
  own = await postgres.createDatabase('orders');
  pool = database(settingsOf(own), recordingLog());
  await migrate(pool, migrations, recordingLog());
  service = await startOrders();
});
afterAll(async () => {
  await service?.stop();
  await pool?.end();
  await postgres?.stop();
});

const startOrders = async () => {
  const nobody = { host: '127.0.0.1', port: await freePort(), user: 'shop', password: 'none', vhost: '/' };
  return startService('order-service', { ...databaseEnv(own), ...brokerEnv(nobody), ...productEnv('127.0.0.1:1') });
};

/** An order in the database, which another replica takes on: what happens to it is written from here. */
async function placed() {
  const sagas = storedSagas(pool, 60_000);
  const id = crypto.randomUUID();
  const order = { id, product_id: 1, quantity: 2, user_id: 'u', total: 49.8, degraded: [] };
  await storedOrders(pool, 60_000).place(order, { client: 'u', key: id, fingerprint: 'f' });
  await pool.query('DELETE FROM sagas WHERE order_id = $1', [id]);
  return { id, happens: async (...events: OrderEvent[]) => sagas.record(await sagas.load(id), events) };
}

const eventsOf = (id: string, headers?: Record<string, string>) =>
  follow(`${service.url}/orders/${id}/events`, headers);
const ids = (messages: readonly { readonly id?: string }[]) => messages.map(({ id }) => id);

describe('the events of an order', () => {
  it('are those that are there, then each as it happens, until the order has ended', async () => {
    const { id, happens } = await placed();
    const stream = await eventsOf(id);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    await eventually(() => expect(ids(stream.messages())).toEqual(['1']));
    await happens({ type: 'StockReserved' });
    await eventually(() => expect(ids(stream.messages())).toEqual(['1', '2']));
    await happens({ type: 'PaymentCharged' }, { type: 'OrderCompleted' });
    await stream.ended;
    await eventually(async () => expect(await metric(service.url, 'order_followers')).toBe(0));
    const messages = stream.messages();
    expect(ids(messages)).toEqual(['1', '2', '3', '4']);
    expect(messages.map(({ event }) => event)).toEqual([
      'OrderPlaced',
      'StockReserved',
      'PaymentCharged',
      'OrderCompleted',
    ]);
    expect(JSON.parse(messages[0]?.data ?? '')).toMatchObject({ product_id: 1, total: 49.8, at: expect.any(String) });
  });

  it('go on after the last one that the caller has, and are no more once it has all of an order that ended', async () => {
    const { id, happens } = await placed();
    await happens({ type: 'StockRefused', reason: 'none left' }, { type: 'OrderCompensated' });
    const stream = await eventsOf(id, { 'last-event-id': '1' });
    await stream.ended;
    expect(ids(stream.messages())).toEqual(['2', '3']);
    expect((await eventsOf(id, { 'last-event-id': '3' })).status).toBe(204);
  });

  it('are refused for an order that is not there, and after what is no event', async () => {
    const { id } = await placed();
    expect((await ask(`${service.url}/orders/${crypto.randomUUID()}/events`)).body.code).toBe('not_found');
    const { status, body } = await ask(`${service.url}/orders/${id}/events`, undefined, { 'last-event-id': 'x' });
    expect([status, body.errors[0].field]).toEqual([400, 'Last-Event-ID']);
  });

  it('are followed until the caller leaves, and no longer', async () => {
    const { id } = await placed();
    const streams = await Promise.all(Array.from({ length: 5 }, () => eventsOf(id)));
    expect(await metric(service.url, 'order_followers')).toBe(5);
    for (const stream of streams) stream.leave();
    await eventually(async () => expect(await metric(service.url, 'order_followers')).toBe(0));
  });

  it('outlast the limit for other answers', { timeout: 30_000 }, async () => {
    const { id, happens } = await placed();
    const stream = await follow(`${service.url}/orders/${id}/events`, { 'x-request-timeout-ms': '700' });
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // beyond that limit, and the second after it
    await happens({ type: 'StockRefused', reason: 'none left' }, { type: 'OrderCompensated' });
    await stream.ended;
    expect(ids(stream.messages())).toEqual(['1', '2', '3']);
  });

  it('come through the gateway as they happen, and go on there where they were left', async () => {
    const { id, happens } = await placed();
    const route = { path: '/orders/:id/events', methods: ['GET'], versions: [1], stream: { backend: 'orders' } };
    const file = routesEnv({ backends: { orders: { url: service.url } }, routes: [route] });
    const gateway = await startService('api-gateway', file);
    const events = `${gateway.url}/v1/orders/${id}/events`;
    const stream = await follow(events);
    await happens({ type: 'StockReserved' });
    await eventually(() => expect(ids(stream.messages())).toEqual(['1', '2']));
    stream.leave();
    await happens({ type: 'PaymentCharged' }, { type: 'OrderCompleted' });
    const again = await follow(events, { 'last-event-id': '2' });
    await again.ended;
    expect(ids(again.messages())).toEqual(['3', '4']);
    expect((await follow(events, { 'last-event-id': '4' })).status).toBe(204);
    await gateway.stop();
  });

  it('end when the service stops, with the time after which to come again', async () => {
    const { id } = await placed();
    const other = await startOrders();
    const stream = await follow(`${other.url}/orders/${id}/events`);
    await eventually(() => expect(ids(stream.messages())).toEqual(['1']));
    expect(await other.stop()).toEqual({ code: 0, signal: null });
    await stream.ended;
    expect(Number(stream.messages().at(-1)?.retry)).toBeGreaterThanOrEqual(500);
  });
});

describe('followers of orders', () => {
  /** Followers in this process, over the database, whose looks at it are counted. */
  function followers(limits: { quietMs?: number; maxFollowers?: number } = {}) {
    const counted = { looks: 0 };
    const read: typeof readNews = (of, after) => {
      counted.looks += 1;
      return readNews(of, after);
    };
    const all = orderFollowers((after) => read(pool, after), {
      log: recordingLog(),
      limits: { pollMs: 50, quietMs: 60_000, maxFollowers: 100, ...limits },
    });
    return { ...all, counted };
  }

  it('cost one look for all of them together, and none when there are none', async () => {
    const { follow: followed, counted } = followers();
    const orders = await Promise.all(Array.from({ length: 20 }, placed));
    const ended = new AbortController();
    const started = performance.now();
    const heard = orders.map(({ id }) => followed(id, 1, ended.signal).next());
    for (const { happens } of orders) await happens({ type: 'StockReserved' });
    const news = await Promise.all(heard);
    const looksAtMost = (performance.now() - started) / 50 + 1;
    expect(news.map(({ value }) => value?.[0]?.version)).toEqual(orders.map(() => 2));
    expect(counted.looks).toBeLessThanOrEqual(looksAtMost);
    ended.abort();
    await new Promise((resolve) => setTimeout(resolve, 150)); // the look that is under way, and one more
    const { looks } = counted;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(counted.looks).toBe(looks);
  });

  it('hear that nothing happened, in time to be told that the stream still stands', async () => {
    const { follow: followed } = followers({ quietMs: 30 });
    const ended = new AbortController();
    const { id } = await placed();
    expect((await followed(id, 1, ended.signal).next()).value).toEqual([]);
    ended.abort();
  });

  it('are so many and no more: those that left make room', async () => {
    const { follow: followed } = followers({ maxFollowers: 2 });
    const [one, two] = [new AbortController(), new AbortController()];
    const { id } = await placed();
    void followed(id, 1, one.signal);
    void followed(id, 1, two.signal);
    expect(() => followed(id, 1, two.signal)).toThrow(expect.objectContaining({ code: 'unavailable' }));
    one.abort();
    expect(() => followed(id, 1, two.signal)).not.toThrow();
    two.abort();
  });

  it('of one order are each given what they lack', async () => {
    const { follow: followed } = followers();
    const ended = new AbortController();
    const { id, happens } = await placed();
    await happens({ type: 'StockReserved' });
    const heard = [1, 2].map((after) => followed(id, after, ended.signal).next());
    await expect.poll(async () => (await heard[0])?.value?.length).toBe(1);
    await happens({ type: 'PaymentCharged' }, { type: 'OrderCompleted' });
    expect((await heard[1])?.value?.map(({ version }) => version)).toEqual([3, 4]);
    ended.abort();
  });

  it('that take slowly are given more at a time, each event once', async () => {
    const { follow: followed } = followers();
    const ended = new AbortController();
    const { id, happens } = await placed();
    const news = followed(id, 1, ended.signal);
    await happens({ type: 'StockReserved' });
    expect((await news.next()).value?.map(({ version }) => version)).toEqual([2]);
    await happens({ type: 'PaymentCharged' }, { type: 'OrderCompleted' });
    await new Promise((resolve) => setTimeout(resolve, 200)); // several looks, while nobody takes
    expect((await news.next()).value?.map(({ version }) => version)).toEqual([3, 4]);
    ended.abort();
    expect((await news.next()).done).toBe(true);
  });
});
