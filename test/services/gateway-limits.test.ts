import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startIssuer } from '../support/issuer.ts';
import { type Redis, startRedis } from '../support/redis.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());

async function backend(answer: (response: ServerResponse) => void = (response) => response.end('{}')) {
  const server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const limited = (url: string, limit: { requests: number; seconds: number }, more: object = {}) => ({
  backends: { shop: { url } },
  rateLimits: { few: limit },
  routes: [
    { path: '/orders', methods: ['GET'], backend: 'shop', rateLimit: 'few' },
    { path: '/products', methods: ['GET'], backend: 'shop', rateLimit: 'few' },
    { path: '/open', methods: ['GET'], backend: 'shop' },
  ],
  ...more,
});

/** So many gateways with the same routes. */
async function gateways(count: number, routes: object, env: Record<string, string> = {}) {
  const started = await Promise.all(
    Array.from({ length: count }, () => startService('api-gateway', { ...routesEnv(routes), ...env })),
  );
  closers.push(...started.map((gateway) => () => gateway.stop()));
  return started as [ServiceProcess, ...ServiceProcess[]];
}

const shared = ({ url }: ServiceProcess) => metric(url, 'gateway_rate_limits_shared');
const countsTogether = (gateway: ServiceProcess) => eventually(async () => expect(await shared(gateway)).toBe(1));
const statusOf = async (url: string, headers: Record<string, string> = {}) =>
  (await ask(url, undefined, headers)).status;
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));
const counted = (statuses: readonly number[]) =>
  Object.fromEntries(
    [...new Set(statuses)].sort((a, b) => a - b).map((it) => [it, statuses.filter((status) => status === it).length]),
  );

describe('a rate limit over two gateways', () => {
  it('lets through exactly as many as it says, and tells the others when to come again', async () => {
    const [one, two] = await gateways(2, limited(await backend(), { requests: 20, seconds: 60 }), {
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: '1000',
    });
    await Promise.all([one, two as ServiceProcess].map(countsTogether));
    const urls = [`${one.url}/orders`, `${two?.url}/products`];
    const statuses = await Promise.all(times(80, (index) => statusOf(urls[index % 2] as string)));
    expect(counted(statuses)).toEqual({ 200: 20, 429: 60 });
    const { body, headers } = await ask(urls[0] as string);
    expect(body.code).toBe('too_many_requests');
    const seconds = Number(headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(66);
    expect(headers.get('ratelimit-policy')).toBe('"few";q=20;w=60');
    expect(headers.get('ratelimit')).toBe(`"few";r=0;t=${seconds}`);
    expect(await statusOf(`${one.url}/open`)).toBe(200);
    const refusals = [one, two].map((it) => metric(it?.url ?? '', 'gateway_refused_requests_total{reason="rate"}'));
    expect((await Promise.all(refusals)).reduce((sum = 0, it = 0) => sum + it)).toBe(61);
  });

  it('holds from second to second, too: never above it, and at most a tenth below', async () => {
    const [one, two] = await gateways(2, limited(await backend(), { requests: 10, seconds: 1 }), {
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: '1000',
    });
    await Promise.all([one, two as ServiceProcess].map(countsTogether));
    const started = performance.now();
    const statuses: number[] = [];
    while (performance.now() - started < 5_000) {
      statuses.push(...(await Promise.all([one, two].map((it) => statusOf(`${it?.url}/orders`)))));
      await sleep(5);
    }
    const seconds = (performance.now() - started) / 1_000;
    const allowed = statuses.filter((it) => it === 200).length;
    expect(statuses.length).toBeGreaterThan(allowed * 2);
    expect(allowed).toBeLessThanOrEqual(10 * (Math.floor(seconds) + 1));
    expect(allowed).toBeGreaterThanOrEqual(10 * Math.floor(seconds / 1.1));
  });
});

describe('a rate limit', () => {
  it('holds for each caller by itself, wherever from, and lets in again who waits as long as it says', async () => {
    const issuer = await startIssuer();
    closers.push(issuer.close);
    const url = await backend();
    const [{ url: at }] = await gateways(1, {
      ...limited(url, { requests: 2, seconds: 1 }),
      backends: { shop: { url }, issuer: { url: issuer.url } },
      tokens: { issuer: 'user-service', audience: 'shop', keys: { backend: 'issuer', path: '/keys' } },
      routes: [{ path: '/mine', methods: ['GET'], backend: 'shop', scopes: [], rateLimit: 'few' }],
    });
    const headers = async (sub: string) => ({ authorization: `Bearer ${await issuer.token({ claims: { sub } })}` });
    const [ada, bob] = [await headers('ada'), await headers('bob')];
    await statusOf(`${at}/mine`, await headers('first')); // the keys are there
    const statuses = await Promise.all([ada, ada, ada, bob].map((it) => statusOf(`${at}/mine`, it)));
    expect(counted(statuses)).toEqual({ 200: 3, 429: 1 });
    const refused = await ask(`${at}/mine`, undefined, ada);
    expect(refused.status).toBe(429);
    await sleep(Number(refused.headers.get('retry-after')) * 1_000);
    expect(await statusOf(`${at}/mine`, ada)).toBe(200);
  });

  it('goes by the address of the connection, and by what is forwarded only from proxies it was told of', async () => {
    const routes = limited(await backend(), { requests: 1, seconds: 60 });
    const [[direct], [behind]] = await Promise.all([
      gateways(1, routes),
      gateways(1, routes, { TRUSTED_PROXIES: '1' }),
    ]);
    const from = (gateway: ServiceProcess, forwarded: string) =>
      statusOf(`${gateway.url}/orders`, { 'x-forwarded-for': forwarded });
    expect(await from(direct, '203.0.113.1')).toBe(200);
    expect(await from(direct, '203.0.113.2')).toBe(429);
    expect(await from(behind, '203.0.113.1')).toBe(200);
    expect(await from(behind, '203.0.113.2')).toBe(200);
    expect(await from(behind, '9.9.9.9, 203.0.113.2')).toBe(429); // what comes first, anybody may write
  });

  it('is kept by each gateway alone where Redis is not there at all, and together as soon as it is', async () => {
    const own = await startRedis();
    closers.push(own.stop);
    await own.kill();
    const [one, two] = await gateways(2, limited(await backend(), { requests: 3, seconds: 60 }), {
      REDIS_URL: own.url,
    });
    const both = [one, two as ServiceProcess];
    const ofEach = both.map(async ({ url }) => counted(await Promise.all(times(5, () => statusOf(`${url}/orders`)))));
    expect(await Promise.all(ofEach)).toEqual([
      { 200: 3, 429: 2 },
      { 200: 3, 429: 2 },
    ]);
    expect((await ask(`${one.url}/readyz`)).body.notes).toEqual({
      'rate limits': 'Redis is away: each replica counts alone',
    });
    await own.start();
    await Promise.all(both.map(countsTogether));
    const together = await Promise.all(times(10, (index) => statusOf(`${both[index % 2]?.url}/orders`)));
    expect(counted(together)).toEqual({ 200: 3, 429: 7 });
    expect((await ask(`${one.url}/readyz`)).body).not.toHaveProperty('notes');
  }, 30_000);

  it.each(['killed', 'frozen'] as const)('costs no request and no time when Redis is %s meanwhile', async (how) => {
    const own = await startRedis();
    closers.push(own.stop);
    const [gateway] = await gateways(1, limited(await backend(), { requests: 100_000, seconds: 60 }), {
      REDIS_URL: own.url,
    });
    await countsTogether(gateway);
    const seen = { sent: 0, failed: [] as string[], slowestMs: 0 };
    const send = async () => {
      const started = performance.now();
      const { status, body } = await ask(`${gateway.url}/orders`);
      seen.sent += 1;
      if (status !== 200) seen.failed.push(JSON.stringify(body));
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - started);
    };
    let going = true;
    const load = times(8, async () => {
      while (going) await send();
    });
    await sleep(300);
    if (how === 'killed') await own.kill();
    else own.freeze();
    await eventually(async () => expect(await shared(gateway)).toBe(0));
    await sleep(500);
    if (how === 'killed') await own.start();
    else own.thaw();
    await countsTogether(gateway);
    going = false;
    await Promise.all(load);
    expect(seen.failed).toEqual([]);
    expect(seen.sent).toBeGreaterThan(100);
    expect(seen.slowestMs).toBeLessThan(1_000);
    const said = gateway.log.map(({ msg }) => String(msg)).filter((msg) => msg.startsWith('Redis is'));
    expect(said.slice(0, 2)).toEqual([
      'Redis is away, each replica counts requests alone',
      'Redis is back, requests are counted over all replicas',
    ]);
  });
});

describe('a gateway with too much to do', () => {
  it('refuses what is above its limit at once, spares its own paths, and takes on another limit while it runs', async () => {
    const held: ServerResponse[] = [];
    const url = await backend((response) => void held.push(response));
    const settings = mkdtempSync(join(tmpdir(), 'settings-'));
    writeFileSync(join(settings, 'MAX_CONCURRENT'), '4');
    const [gateway] = await gateways(
      1,
      { backends: { shop: { url } }, routes: [anything] },
      {
        CONFIG_SOURCE: 'files',
        CONFIG_DIR: settings,
      },
    );
    const ends = times(4, () => statusOf(`${gateway.url}/x`));
    await eventually(() => expect(held).toHaveLength(4));
    const started = performance.now();
    const refused = await Promise.all(times(50, () => ask(`${gateway.url}/x`)));
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(new Set(refused.map(({ status, body }) => `${status} ${body.code}`))).toEqual(new Set(['503 unavailable']));
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    for (const own of ['/healthz', '/readyz']) expect(await statusOf(`${gateway.url}${own}`)).toBe(200);
    expect(await metric(gateway.url, 'gateway_refused_requests_total{reason="overload"}')).toBe(50);
    expect(await metric(gateway.url, 'gateway_requests_under_way')).toBe(4);

    writeFileSync(join(settings, 'MAX_CONCURRENT'), '5');
    await eventually(() => expect(gateway.log.map(({ msg }) => msg)).toContain('configuration changed'));
    ends.push(statusOf(`${gateway.url}/x`));
    await eventually(() => expect(held).toHaveLength(5));
    for (const response of held) response.end('{}');
    expect(await Promise.all(ends)).toEqual([200, 200, 200, 200, 200]);
    await eventually(async () => expect(await metric(gateway.url, 'gateway_requests_under_way')).toBe(0));
  });
});

describe('streams', () => {
  it('take no place of other requests, however long they are open', async () => {
    const url = await backend((response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n'),
    );
    const routes = [
      { path: '/events', methods: ['GET'], stream: { backend: 'shop' } },
      { path: '/fixed', methods: ['GET'], answer: { status: 200, body: {} } },
    ];
    const [gateway] = await gateways(1, { backends: { shop: { url } }, routes }, { MAX_CONCURRENT: '1' });
    const open = await Promise.all(
      times(3, () => once(get(`${gateway.url}/events`), 'response') as Promise<[IncomingMessage]>),
    );
    expect(open.map(([{ statusCode }]) => statusCode)).toEqual([200, 200, 200]);
    expect(await statusOf(`${gateway.url}/fixed`)).toBe(200);
    for (const [stream] of open) stream.destroy();
  });
});

const anything = { path: '/*', methods: ['GET', 'POST'], backend: 'shop' };
