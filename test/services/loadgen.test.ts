import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateway } from '../../services/loadgen/src/gateway.ts';
import { eventually } from '../support/eventually.ts';
import { type LogLine, runService, type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, gatewayEnv, metric } from '../support/shop.ts';
import { startWholeShop, type WholeShop } from '../support/whole-shop.ts';

type Asked = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;
/** Answers as it likes, or as the shop would. */
type Answer = (request: Asked, response: ServerResponse, asTheShop: () => void) => unknown;

/** A shop under the test's control. It prepares every run in earnest; the load it answers as it is told. */
async function standIn(answer: Answer = (_request, _response, asTheShop) => asTheShop()) {
  const asked: Asked[] = [];
  let atOnce = 0;
  const connections = () => promisify(server.getConnections.bind(server))();
  const shop = { answer, asked, mostAtOnce: 0, isOpen: true, url: '', connections, close: () => undefined as unknown };
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    const isLoad = request.headers['x-request-id'] !== undefined;
    if (isLoad) asked.push(request);
    atOnce += 1;
    shop.mostAtOnce = Math.max(shop.mostAtOnce, atOnce);
    response.once('close', () => {
      atOnce -= 1;
    });
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const asTheShop = () => honest(request, response, body);
      if (!shop.isOpen) response.writeHead(503).end();
      else if (isLoad) shop.answer(request, response, asTheShop);
      else asTheShop();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  shop.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  shop.close = () => {
    server.close();
    server.closeAllConnections();
  };
  return shop;
}

let tokens = 1;

function honest({ method, url = '' }: Asked, response: ServerResponse, body: string): void {
  const [, , id] = url.split('/');
  const answer = (status: number, value: unknown) => response.writeHead(status).end(JSON.stringify(value));
  if (url === '/tokens') answer(200, { access_token: `t-${tokens++}`, expires_in: 2 });
  else if (method === 'POST') answer(201, { ...JSON.parse(body), id: crypto.randomUUID() });
  else if (id === undefined || id === 'products') answer(200, { items: [{ id: 1 }, { id: 2 }], next: null });
  else if (url.startsWith('/stock/')) answer(200, { product_id: Number(id) });
  else answer(200, { id: url.startsWith('/products/') ? Number(id) : id });
}

const said = (log: readonly LogLine[], message: string) => log.filter(({ msg }) => msg === message);

/** Runs until it ends by itself. */
async function run(env: Record<string, string>) {
  const { ended, log } = runService('loadgen', env);
  return { end: await ended, log, summary: said(log, 'summary')[0] ?? {} };
}

describe('the load generator', () => {
  it('sends what it should, counts each request in exactly one way, and ends with a summary and code 0', async () => {
    const right = (method = '') => (method === 'POST' ? 201 : 200);
    const failures: readonly (readonly [reason: string, Answer])[] = [
      ['status_503', (_, response) => response.writeHead(503).end('{}')],
      ['status_202', (_, response) => response.writeHead(202).end('{}')],
      ['body', ({ method }, response) => response.writeHead(right(method)).end('{"id":"of another"}')],
      ['body', ({ method }, response) => response.writeHead(right(method)).end('no JSON')],
      ['connection', (_, response) => response.destroy()],
      [
        'connection',
        ({ method }, response) => {
          response.writeHead(right(method), { 'content-length': '50' }).write('{"id":');
          return setTimeout(() => response.destroy(), 20);
        },
      ],
    ];
    const failed: Record<string, number> = {};
    const shop = await standIn((request, response, asTheShop) => {
      const [reason = '', fail] = failures[shop.asked.length % 10] ?? [];
      if (fail === undefined) return asTheShop();
      failed[reason] = (failed[reason] ?? 0) + 1;
      return fail(request, response, asTheShop);
    });
    const { end, log, summary } = await run({ GATEWAY_URL: shop.url, RATE: '100', DURATION_SECONDS: '3' });
    shop.close();

    expect(end).toEqual({ code: 0, signal: null });
    expect(shop.asked).toHaveLength(300);
    const lost = Object.values(failed).reduce((sum, count) => sum + count, 0);
    expect(lost).toBe(180);
    expect(summary).toMatchObject({ sent: 300, answered: 300 - lost, failed, dropped: 0, rate: 100, seed: 1 });
    // Each failure can be looked up where it happened.
    const told = said(log, 'request failed');
    const ids = told.map((line) => line.request_id);
    expect(ids).toHaveLength(lost);
    expect(told.every(({ detail }) => typeof detail === 'string')).toBe(true);
    expect(shop.asked.map(({ headers }) => headers['x-request-id'])).toEqual(expect.arrayContaining(ids));
  });

  it('keeps its rate while nothing is answered', async () => {
    const held: (() => void)[] = [];
    const shop = await standIn((_request, _response, asTheShop) => held.push(asTheShop));
    const { ended, log } = runService('loadgen', { GATEWAY_URL: shop.url, RATE: '50', DURATION_SECONDS: '2' });
    await eventually(() => expect(held).toHaveLength(100));
    for (const answer of held) answer();
    expect(await ended).toEqual({ code: 0, signal: null });
    shop.close();
    expect(said(log, 'summary')[0]).toMatchObject({ sent: 100, answered: 100, failed: {}, dropped: 0 });
    expect(said(log, 'summary')[0]?.p50_ms).toBeGreaterThan(800);
  });

  it('catches up when it was held up itself, and counts the time that was lost', async () => {
    const shop = await standIn();
    const { child, ended, log } = runService('loadgen', { GATEWAY_URL: shop.url, RATE: '50', DURATION_SECONDS: '3' });
    await eventually(() => expect(shop.asked.length).toBeGreaterThan(20));
    child.kill('SIGSTOP');
    await sleep(1_200);
    child.kill('SIGCONT');
    await ended;
    shop.close();
    const [summary] = said(log, 'summary');
    expect(summary).toMatchObject({ sent: 150, answered: 150, dropped: 0 });
    expect(summary?.max_lag_ms).toBeGreaterThan(1_000);
    expect(summary?.p99_ms).toBeGreaterThan(1_000);
  });

  it('never has more under way than it may: the rest is dropped, and a silence ends after 10 s', async () => {
    const shop = await standIn(() => undefined);
    const env = { GATEWAY_URL: shop.url, RATE: '20', DURATION_SECONDS: '2', MAX_IN_FLIGHT: '10' };
    const { end, summary } = await run(env);
    shop.close();
    expect(end).toEqual({ code: 0, signal: null });
    expect(shop.mostAtOnce).toBe(10);
    expect(summary).toMatchObject({ sent: 10, answered: 0, failed: { timeout: 10 }, dropped: 30 });
  });

  it('starts nothing more after SIGTERM, waits for what is under way, and sums up', async () => {
    const held: (() => void)[] = [];
    const shop = await standIn((_request, _response, asTheShop) => held.push(asTheShop));
    const loadgen = await startService('loadgen', { GATEWAY_URL: shop.url, RATE: '50' });
    await eventually(() => expect(held.length).toBeGreaterThan(10));
    const stopped = loadgen.stop();
    await sleep(500);
    const sent = held.length;
    await sleep(3_500); // more than anything else has to close in
    expect(held).toHaveLength(sent);
    expect(said(loadgen.log, 'summary')).toEqual([]);
    for (const answer of held) answer();
    expect(await stopped).toEqual({ code: 0, signal: null });
    shop.close();
    expect(said(loadgen.log, 'summary')[0]).toMatchObject({ sent, answered: sent, failed: {} });
  });

  it('waits for a shop that is not there yet', async () => {
    const shop = await standIn();
    shop.isOpen = false;
    const { child, ended, log } = runService('loadgen', { GATEWAY_URL: shop.url });
    await eventually(() => expect(said(log, 'waiting for the shop').length).toBeGreaterThan(1));
    expect(said(log, 'ready for requests')).toEqual([]);
    shop.isOpen = true;
    await eventually(() => expect(shop.asked.length).toBeGreaterThan(1));
    child.kill();
    await ended;
    shop.close();
    expect(said(log, 'summary')[0]).toMatchObject({ sent: shop.asked.length, answered: shop.asked.length });
  });

  it('asks as a customer who stays signed in', async () => {
    const shop = await standIn();
    const { summary } = await run({ GATEWAY_URL: shop.url, RATE: '20', DURATION_SECONDS: '3' });
    shop.close();
    expect(summary).toMatchObject({ sent: 60, answered: 60 });
    const seen = new Set(shop.asked.map(({ headers }) => headers.authorization));
    expect([...seen].every((it) => /^Bearer t-\d+$/.test(it ?? ''))).toBe(true);
    expect(seen.size).toBeGreaterThanOrEqual(3);
  });

  it('keeps no connection that is idle for longer than a second, whatever the gateway offers', async () => {
    const shop = await standIn();
    const client = gateway(shop.url, 10);
    const get = { method: 'GET', path: '/products', status: 200, accept: () => true } as const;
    const answered = { outcome: 'answered' };
    expect(await Promise.all([client.send(get), client.send(get)])).toEqual([answered, answered]);
    expect(await shop.connections()).toBe(2);
    await eventually(async () => expect(await shop.connections()).toBe(0), { withinMs: 2_000 });
    await client.close();
    shop.close();
  });

  it('names every fault of its environment at once', async () => {
    const { end, log } = await run({ RATE: '0', SEED: '-1', DURATION_SECONDS: 'x', MAX_IN_FLIGHT: '' });
    expect(end.code).toBe(1);
    const text = JSON.stringify(log);
    for (const name of ['GATEWAY_URL', 'RATE', 'SEED', 'DURATION_SECONDS', 'MAX_IN_FLIGHT'])
      expect(text).toContain(name);
  });
});

describe('the load generator at the real shop', () => {
  let shop: WholeShop;
  const processes: ServiceProcess[] = [];
  const started = async (name: string, env: Record<string, string>) => {
    const process = await startService(name, env);
    processes.unshift(process);
    return process;
  };

  beforeAll(async () => {
    shop = await startWholeShop();
  });
  afterAll(async () => {
    await Promise.all(processes.map((it) => it.stop()));
    await shop?.stop();
  });

  it('gets every answer it expects, and as many orders are kept as it was promised', async () => {
    const urls = Object.fromEntries(Object.entries(shop.services).map(([name, { url }]) => [name, url]));
    const front = await started('api-gateway', gatewayEnv(urls));
    const loadgen = await started('loadgen', { GATEWAY_URL: front.url, RATE: '20', SEED: '7' });
    const placed = 'loadgen_requests_total{kind="place_order",outcome="answered"}';
    await eventually(async () => expect(await metric(loadgen.url, placed)).toBeGreaterThan(12), { withinMs: 30_000 });
    expect((await ask(`${loadgen.url}/readyz`)).status).toBe(200);
    expect(await metric(loadgen.url, 'loadgen_schedule_lag_seconds_count')).toBeGreaterThan(30);
    expect(await loadgen.stop()).toEqual({ code: 0, signal: null });

    const [summary] = said(loadgen.log, 'summary');
    expect(summary).toMatchObject({ seed: 7, failed: {}, dropped: 0, answered: summary?.sent });
    const kept = (await ask(`${front.url}/orders?limit=100`)).body as { items: { user_id: string }[]; next: unknown };
    expect(kept.next).toBeNull();
    expect(kept.items).toHaveLength(Number(summary?.orders));
    expect(new Set(kept.items.map(({ user_id }) => user_id)).size).toBeGreaterThan(3);
  });
});
