import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Play, type Played, playedBackend } from '../support/played-backend.ts';
import { startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const parts = {
  order: { backend: 'orders', path: '/orders/:id' },
  user: { backend: 'users', path: '/users/{order.user_id}', optional: true },
  product: { backend: 'products', path: '/products/{order.product_id}' },
};
const overview = { path: '/orders/:id/overview', methods: ['GET'], versions: [1], compose: { parts } };

const order: Played = { body: { id: 'o 1', user_id: 'u-1', product_id: 7, status: 'completed', total: 10 } };
const good = {
  orders: () => order,
  users: () => ({ body: { name: 'Ann' } }),
  products: () => ({ body: { price: 5 } }),
};

/** A gateway before an order, a user and a product service, each as the test plays it. */
async function gatewayOver(plays: Readonly<Record<'orders' | 'users' | 'products', Play>>, route: object = {}) {
  const entries = await Promise.all(
    Object.entries(plays).map(async ([name, play]) => [name, await playedBackend(play)] as const),
  );
  for (const [, backend] of entries) closers.push(backend.close);
  const backends = Object.fromEntries(entries.map(([name, { url }]) => [name, { url }]));
  const file = { backends, profiles: ['mobile', 'web'], routes: [{ ...overview, ...route }] };
  const gateway = await startService('api-gateway', routesEnv(file));
  closers.push(() => gateway.stop());
  const asked = Object.fromEntries(entries.map(([name, backend]) => [name, backend]));
  const get = (path: string, headers = {}) => ask(`${gateway.url}${path}`, undefined, headers);
  return { url: gateway.url, get, asked };
}

const userless: Played = { body: { ...(order.body as object), user_id: '..' } };

describe('an answer of several parts', () => {
  it('has each under its name, asked for with what the parts before it said', async () => {
    const { get, url, asked } = await gatewayOver({
      ...good,
      orders: () => ({ body: { ...(order.body as object), user_id: 'ü 1' } }),
    });
    const { status, headers, body } = await get('/v1/orders/o%201/overview');
    expect(status).toBe(200);
    expect(body).toEqual({
      order: { ...(order.body as object), user_id: 'ü 1' },
      user: { name: 'Ann' },
      product: { price: 5 },
    });
    expect(headers.get('x-incomplete')).toBeNull();
    expect(Object.values(asked).flatMap((backend) => backend.asked)).toEqual([
      '/orders/o%201',
      '/users/%C3%BC%201',
      '/products/7',
    ]);
    const counted = 'http_requests_total{method="GET",endpoint="/v1/orders/:id/overview",status="200"}';
    expect(await metric(url, counted)).toBe(1);
  });

  it('asks at the same time for those that do not need each other', async () => {
    let waiting = 0;
    const together = async () => {
      waiting += 1;
      await eventually(() => expect(waiting).toBe(2));
      return { body: {} };
    };
    const { get } = await gatewayOver({ ...good, users: together, products: together });
    expect((await get('/orders/1/overview')).body).toMatchObject({ user: {}, product: {} });
  });

  it.each<readonly [what: string, plays: object]>([
    ['fails', { users: () => ({ status: 500 }) }],
    ['is not there', { users: () => ({ status: 404, body: {} }) }],
    ['is nothing that can be read', { users: () => ({}) }],
    ['cannot be asked for', { orders: () => userless }],
  ])('has null for an optional one that %s, and says so', async (_what, plays) => {
    const { get } = await gatewayOver({ ...good, ...plays });
    const { status, headers, body } = await get('/orders/1/overview');
    expect([status, headers.get('x-incomplete'), body.user]).toEqual([200, 'user', null]);
    expect(body.product).toEqual({ price: 5 });
  });

  it('is the error of a required one, as it came, and the others are given up', async () => {
    const problem = { code: 'not_found', detail: 'no such product' };
    const never = new Promise<Played>(() => undefined);
    const { get, asked } = await gatewayOver({
      ...good,
      users: () => never,
      products: () => ({ status: 404, headers: { 'content-type': 'application/problem+json' }, body: problem }),
    });
    const { status, headers, body } = await get('/orders/1/overview');
    expect([status, headers.get('content-type'), body]).toEqual([404, 'application/problem+json', problem]);
    await eventually(() => expect(asked.users?.left()).toBe(1), { withinMs: 2_000 }); // its own time is 5 s
  });

  it('is 502 when a required one makes no sense, and is not asked for with less', async () => {
    const { get, asked } = await gatewayOver({ ...good, orders: () => ({ body: { product_id: null } }) });
    const { status, body } = await get('/orders/1/overview');
    expect([status, body.code]).toEqual([502, 'upstream_error']);
    expect(asked.products?.asked).toEqual([]);
  });

  it('has one deadline for all parts', async () => {
    const slow = async () => {
      await sleep(400);
      return order;
    };
    const { get } = await gatewayOver({ orders: slow, users: slow, products: slow }, { timeoutMs: 600, retries: 0 });
    const began = performance.now();
    const { status, body } = await get('/orders/1/overview');
    expect([status, body.code]).toEqual([504, 'upstream_timeout']);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it('gives up all parts when the caller leaves', async () => {
    const never = new Promise<Played>(() => undefined);
    const { url, asked } = await gatewayOver({ ...good, users: () => never, products: () => never });
    const leaving = new AbortController();
    const answer = fetch(`${url}/orders/1/overview`, { signal: leaving.signal }).catch(() => undefined);
    await eventually(() => expect([asked.users?.asked.length, asked.products?.asked.length]).toEqual([1, 1]));
    leaving.abort();
    await answer;
    await eventually(() => expect([asked.users?.left(), asked.products?.left()]).toEqual([1, 1]), { withinMs: 2_000 });
  });

  it('cannot be larger than one answer', async () => {
    const large = { body: 'x'.repeat(600_000) };
    const { get } = await gatewayOver({ ...good, users: () => large, products: () => large });
    expect((await get('/orders/1/overview')).status).toBe(502);
  });

  it('is kept only when it is whole, and no longer than a part allows', async () => {
    let users: Played = { status: 500 };
    const { get, asked } = await gatewayOver({ ...good, users: () => users }, { cache: { seconds: 60 } });
    await get('/orders/1/overview');
    users = { body: {}, headers: { 'cache-control': 'no-store' } };
    expect((await get('/orders/1/overview')).headers.get('cache-control')).toBe('no-store');
    users = { body: { name: 'Ann' } };
    for (const _ of [1, 2]) expect((await get('/orders/1/overview')).body.user).toEqual({ name: 'Ann' });
    expect(asked.orders?.asked).toHaveLength(3);
  });
});

describe('an answer in the shape of a client', () => {
  const shapes = { mobile: { keep: ['order.id', 'order.status', 'product'] } };

  it('has the fields of its profile; without one, or of another, it has all; it says that it depends on that', async () => {
    const { get, asked } = await gatewayOver(good, { shapes, cache: { seconds: 60 } });
    const as = (profile?: string) =>
      get('/orders/1/overview', profile === undefined ? {} : { 'x-client-profile': profile });
    const [small, whole, web] = [await as('mobile'), await as(), await as('web')];
    expect(small.body).toEqual({ order: { id: 'o 1', status: 'completed' }, product: { price: 5 } });
    expect(Object.keys(whole.body)).toEqual(['order', 'user', 'product']);
    expect(web.body).toEqual(whole.body);
    for (const { headers } of [small, whole, web]) expect(headers.get('vary')).toBe('x-client-profile');
    expect(asked.orders?.asked).toHaveLength(1); // one answer is kept for all profiles
  });

  it('is not there for a profile that is none; errors are as they are', async () => {
    const { get, asked } = await gatewayOver(
      { ...good, orders: () => ({ status: 404, body: { code: 'not_found' } }) },
      { shapes },
    );
    const refused = await get('/orders/1/overview', { 'x-client-profile': 'toString' });
    expect([refused.status, refused.body.detail]).toEqual([400, 'x-client-profile must be one of mobile, web']);
    expect(asked.orders?.asked).toEqual([]);
    const missing = await get('/orders/1/overview', { 'x-client-profile': 'mobile' });
    expect([missing.status, missing.body]).toEqual([404, { code: 'not_found' }]);
  });
});
