import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { addCustomer, type Customer, placeOrder } from '../../manifests/proof.ts';
import { shopToken } from '../../manifests/token.ts';
import { cli, cluster, list, read, url } from '../support/cluster.ts';

const gateway = () => url('api-gateway');

interface Pod {
  readonly metadata: { readonly name: string };
}

interface Gateway {
  readonly spec: { readonly config: { readonly data: { readonly 'routes.yaml': string } } };
}

/** All pods of a service, also those that are about to end, which still answer. */
const podsOf = async (name: string) =>
  (await list<Pod>('pods', 'shop', '-l', `microservice-platform.io/microservice=${name}`)).map(
    ({ metadata }) => metadata.name,
  );

/** The sum of the samples of each pod whose lines begin like this. */
async function counted(name: string, sample: string): Promise<ReadonlyMap<string, number>> {
  const pods = await podsOf(name);
  const counts = pods.map(async (pod): Promise<[string, number]> => {
    const metrics = await cli.get(['--raw', `/api/v1/namespaces/shop/pods/${pod}:8080/proxy/metrics`]);
    const lines = metrics.split('\n').filter((line) => line.startsWith(sample));
    return [pod, lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)];
  });
  return new Map(await Promise.all(counts));
}

/** How much each pod was asked since `before`. */
async function since(before: ReadonlyMap<string, number>, name: string, sample: string): Promise<readonly number[]> {
  return [...(await counted(name, sample))].map(([pod, count]) => count - (before.get(pod) ?? 0));
}

const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);

async function setRoutes(text: string): Promise<void> {
  const patch = JSON.stringify({ spec: { config: { data: { 'routes.yaml': text } } } });
  await cli.run(['patch', 'microservice', 'api-gateway', '-n', 'shop', '--type=merge', '-p', patch]);
}

const routesNow = async () =>
  (await read<Gateway>('microservice', 'shop', 'api-gateway')).spec.config.data['routes.yaml'];

let customer: Customer;
beforeAll(async () => {
  customer = await addCustomer(gateway());
});

describe('calls in the cluster', () => {
  it('by gRPC go to all pods of product-service, and none gets half as much again as another', async () => {
    const sample = 'grpc_requests_total{method="product.ProductService/GetProduct"';
    await cli.run(['rollout', 'status', 'deployment/product-service', '-n', 'shop', '--timeout=60s'], 70_000);
    const before = await counted('product-service', sample);
    for (let asked = 0; asked < 60; asked += 1) {
      expect((await fetch(`${gateway()}/products/1/details`)).status).toBe(200);
    }
    const counts = await since(before, 'product-service', sample);
    console.log(`gRPC calls of each pod: ${counts.join(', ')}`);
    expect(counts.length).toBeGreaterThanOrEqual(2);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(Math.max(...counts)).toBeLessThan(1.5 * Math.min(...counts));
  });

  it('by HTTP do not stay with one pod of product-service, though connections are kept', async () => {
    const sample = 'http_requests_total{method="GET",endpoint="/products/:id"';
    const before = await counted('product-service', sample);
    const reached = () => since(before, 'product-service', sample);
    await waitFor(
      'every pod to have been asked',
      async () => {
        for (let asked = 0; asked < 20; asked += 1) await fetch(`${gateway()}/products/1`);
        return (await reached()).every((count) => count > 0);
      },
      { timeoutMs: 180_000, everyMs: 2_000 },
    );
    console.log(`HTTP requests of each pod: ${(await reached()).join(', ')}`);
  }, 200_000);
});

describe('the way into the shop', () => {
  it('is open to those who may: 401 without a token, 403 for what a customer may not, 200 for those who run the shop', async () => {
    const status = async (path: string, authorization?: string) =>
      (await fetch(`${gateway()}${path}`, { headers: authorization === undefined ? {} : { authorization } })).status;
    const staff = `Bearer ${await shopToken(cluster.kubeconfig, { scopes: 'shop:manage' })}`;
    expect([await status('/orders'), await status('/payments')]).toEqual([401, 401]);
    expect([
      await status('/orders', customer.authorization),
      await status('/payments', customer.authorization),
    ]).toEqual([200, 403]);
    expect(await status('/payments', staff)).toBe(200);
    expect(await status('/orders', `${customer.authorization}x`)).toBe(401);
  });

  it('tells whoever follows an order of each of its steps, to the end', async () => {
    const { orderId } = await placeOrder(gateway(), customer);
    const { authorization } = customer;
    const answer = await fetch(`${gateway()}/orders/${orderId}/events`, {
      headers: { authorization },
      signal: AbortSignal.timeout(30_000),
    });
    const events = (await answer.text()).match(/(?<=^event: ).*$/gm);
    expect(events).toEqual(['OrderPlaced', 'StockReserved', 'PaymentCharged', 'OrderCompleted']);
  });

  it('gives an order with who ordered what, as one answer', async () => {
    const { orderId } = await placeOrder(gateway(), customer);
    const { authorization } = customer;
    const answer = await fetch(`${gateway()}/orders/${orderId}/overview`, { headers: { authorization } });
    expect(await answer.json()).toMatchObject({
      order: { id: orderId },
      user: { id: customer.id, name: 'Ada' },
      product: { id: 1 },
    });
  });
});

describe('routes in a Microservice', () => {
  let before: string;
  beforeAll(async () => {
    before = await routesNow();
  });
  afterAll(() => setRoutes(before));

  it('change in the running gateways, which go on with the last good ones when they are no good', async () => {
    const pods = await podsOf('api-gateway');
    const inEach = (sample: string, holds: (value: number) => boolean) =>
      waitFor(
        `${sample} in every gateway`,
        async () => [...(await counted('api-gateway', sample)).values()].every(holds),
        { timeoutMs: 150_000, everyMs: 2_000 },
      );
    await setRoutes(`${before}\n  - { path: /hello, methods: [GET], answer: { status: 200, body: hello } }\n`);
    await waitFor('the new route', async () => (await fetch(`${gateway()}/hello`)).status === 200, {
      timeoutMs: 150_000,
      everyMs: 1_000,
    });
    await inEach('gateway_routes_generation', (value) => value >= 2);
    await setRoutes(`${before}\n  - { path: /hello, methods: [GET], backend: nobody }\n`);
    await inEach('gateway_routes_refused', (value) => value === 1);
    expect((await fetch(`${gateway()}/hello`)).status).toBe(200);
    expect(await podsOf('api-gateway')).toEqual(pods);
  }, 480_000);
});

describe('product-service gone', () => {
  const suspended = (suspend: boolean) =>
    cli.run([
      'patch',
      'microservice',
      'product-service',
      '-n',
      'shop',
      '--type=merge',
      '-p',
      JSON.stringify({ spec: { suspend } }),
    ]);
  const paths = [1, 2, 3, 4, 5].map((id) => `${gateway()}/products/${id}`);
  /** At every gateway: each of them has a breaker of its own, and a while ago product-service may have been gone, too. */
  const answersItself = () =>
    waitFor(
      'product-service to answer itself',
      async () => {
        const asked = Array.from({ length: 8 }, () => paths).flat();
        const answers = await Promise.all(asked.map((path) => fetch(path)));
        return answers.every(({ status, headers }) => status === 200 && headers.get('x-masked') === null);
      },
      { timeoutMs: 120_000, everyMs: 1_000 },
    );
  afterAll(() => suspended(false));

  it('is stood in for by what was last known: every answer is marked, and counted', async () => {
    await answersItself(); // and is known at every gateway
    const known = await Promise.all(paths.map(async (path) => (await fetch(path)).json()));
    expect(known[0]).toMatchObject({ id: 1, name: 'Teapot' });
    const sample = 'gateway_masked_answers_total{route="/products/:id",with="cached"}';
    const before = total(await counted('api-gateway', sample));
    await suspended(true);
    await waitFor('product-service to be gone', async () => (await podsOf('product-service')).length === 0, {
      timeoutMs: 60_000,
    });
    // A node says once a second that a Service has no pods, and who is not told waits: until the breaker opens.
    let masked = 0;
    const until = performance.now() + 15_000;
    while (performance.now() < until) {
      const answers = await Promise.all(paths.map((path) => fetch(path)));
      for (const { status, headers } of answers) expect([status, headers.get('x-masked')]).toEqual([200, 'cached']);
      expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual(known);
      masked += answers.length;
      await sleep(100);
    }
    expect(masked).toBeGreaterThan(100);
    expect(total(await counted('api-gateway', sample)) - before).toBe(masked);
    expect((await fetch(`${gateway()}/products/4711`)).status).toBeGreaterThanOrEqual(500); // never seen

    await suspended(false);
    await answersItself();
  }, 300_000);
});
