import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { grpcClient, grpcMethod } from '../../services/common/src/calls/grpc-client.ts';
import { httpClient } from '../../services/common/src/calls/http-client.ts';
import { freePort } from '../support/daemon.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { databaseEnv, metric } from '../support/shop.ts';
import { startTcpBalancer, type TcpBalancer } from '../support/tcp-balancer.ts';

// Only so does gRPC ask the name server that an address names; it is read when gRPC is imported.
vi.hoisted(() => {
  process.env.GRPC_NODE_USE_ALTERNATIVE_RESOLVER = 'true';
});

let postgres: Postgres;
let instances: readonly ServiceProcess[];
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  const env = databaseEnv(await postgres.createDatabase('product'));
  instances = await Promise.all([1, 2, 3].map(() => startService('product-service', env)));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(async () => {
  await Promise.all((instances ?? []).map((it) => it.stop()));
  await postgres?.stop();
});

const portOf = (address: string) => Number(address.split(':').at(-1));
const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
const differences = (after: readonly number[], before: readonly number[]) =>
  after.map((count, index) => count - (before[index] ?? 0));

describe('calls by gRPC', () => {
  const contract = new URL('../../services/product-service/proto/product.proto', import.meta.url).pathname;
  const method = grpcMethod<{ id: number }, { name: string }>(contract, 'product.ProductService/GetProduct');
  const taken = () => instances.map(({ log }) => log.filter(({ msg }) => msg === 'call').length);

  /** One name and one port, behind which each instance has an address of its own, as pods have. */
  async function behindOneName() {
    const port = await freePort();
    const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
    const balancers: TcpBalancer[] = [];
    for (const [index, host] of hosts.entries())
      balancers.push(await startTcpBalancer([portOf(instances[index]?.grpcAddress ?? '')], { host, port }));
    const dns = await startDnsServer(() => hosts);
    const client = grpcClient({ name: 'products', address: `dns://127.0.0.1:${dns.port}/products.shop:${port}` });
    closers.push(dns.stop, ...balancers.map(({ stop }) => stop), client.close);
    const call = () => client.call({ method, request: { id: 1 }, repeatable: true });
    // Until all are connected, and have said so: their lines come a little after the answers.
    const before = taken();
    for (let nth = 0; nth < 20; nth++) await call();
    await expect.poll(() => sum(differences(taken(), before))).toBeGreaterThanOrEqual(20);
    return { call, balancers };
  }

  it('go to all addresses of a name in turn', async () => {
    const { call } = await behindOneName();
    const before = taken();
    for (let nth = 0; nth < 90; nth++) await call();
    await expect.poll(() => sum(differences(taken(), before))).toBe(90);
    for (const share of differences(taken(), before)) expect(Math.abs(share - 30)).toBeLessThanOrEqual(1);
  });

  it('go to those that are left when an address is gone, and none fails', async () => {
    const { call, balancers } = await behindOneName();
    const before = taken();
    const gone = balancers[0]?.stop();
    for (let nth = 0; nth < 60; nth++) expect((await call()).name).toBe('Teapot');
    await gone;
    closers.splice(1, 1); // that one is stopped
    await expect.poll(() => sum(differences(taken(), before))).toBeGreaterThanOrEqual(60);
    const [none = 0, ...others] = differences(taken(), before);
    expect(none).toBeLessThanOrEqual(1);
    for (const share of others) expect(share).toBeGreaterThanOrEqual(25);
  });
});

describe('requests by HTTP, where connections are balanced and not requests', () => {
  const taken = () =>
    Promise.all(
      instances.map(async ({ url }) => {
        const sample = 'http_requests_total{method="GET",endpoint="/products/:id",status="200"}';
        return (await metric(url, sample)) ?? 0;
      }),
    );

  /** As many requests as fit into two seconds, one after the other, by a client that renews its connections so often. */
  async function shares(renewMs: number) {
    const balancer = await startTcpBalancer(instances.map(({ url }) => portOf(url)));
    const client = httpClient({ baseUrl: `http://127.0.0.1:${balancer.port}`, name: 'products', renewMs });
    closers.push(balancer.stop, client.close);
    const before = await taken();
    const end = performance.now() + 2_000;
    let asked = 0;
    for (; performance.now() < end; asked++) expect((await client.send('GET', '/products/1')).status).toBe(200);
    const counts = differences(await taken(), before);
    expect(sum(counts)).toBe(asked);
    return counts.map((count) => count / asked);
  }

  it('stay with the instances of the first connections while these are kept', async () => {
    expect(Math.min(...(await shares(600_000)))).toBe(0);
  });

  it('go to all instances, since connections are renewed', async () => {
    for (const share of await shares(100)) expect(share).toBeGreaterThan(0.15);
  });
});
