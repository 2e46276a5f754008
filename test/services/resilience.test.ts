import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpClient } from '../../services/common/src/calls/http-client.ts';
import { service } from '../../services/common/src/serving/service.ts';
import { productService } from '../../services/product-service/src/grpc.ts';
import { freePort } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, brokerEnv, databaseEnv, gatewayEnv, metric, productEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

async function listening(server: TcpServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A backend in the test's hands, by REST. */
async function backend(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => answer(response));
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return listening(server);
}

describe('a chain of three services over a leaf', () => {
  /** Each asks the next one; `dying` are those that break the connection instead of answering. */
  async function chain(leafAnswers: (response: ServerResponse) => void, dying: readonly string[] = []) {
    const seen: IncomingHttpHeaders[] = [];
    const leaf = createServer(({ headers }, response) => {
      seen.push(headers);
      leafAnswers(response);
    });
    closers.push(() => leaf.close());
    let next = await listening(leaf);
    for (const name of ['inner', 'middle', 'edge']) {
      const app = service({ name, version: '1', logLevel: 'silent', checks: {} });
      const client = httpClient({ baseUrl: next, name: 'next', registry: app.metrics.registry });
      app.get('/', async (request) => {
        const answer = await client.request('GET', '/').catch((error: unknown) => error);
        if (dying.includes(name)) request.raw.socket.destroy();
        if (answer instanceof Error) throw answer;
        return { ok: true };
      });
      next = await app.listen({ port: 0, host: '127.0.0.1' });
      closers.push(
        () => client.close(),
        () => app.close(),
        () => app.server.closeAllConnections(),
      );
    }
    return { url: next, seen };
  }

  it.each([
    ['fails', (response: ServerResponse) => response.writeHead(500).end()],
    ['breaks the connection', (response: ServerResponse) => response.destroy()],
  ])('that %s: the leaf is asked twice for one request, not sixteen times', async (_what, answer) => {
    const { url, seen } = await chain(answer);
    const { status, body } = await ask(url);
    expect([status, body.code, seen.length]).toEqual([502, 'upstream_error', 2]);
  });

  it('that fails while those between die: once more for each of them', async () => {
    const { url, seen } = await chain((response) => response.writeHead(500).end(), ['inner', 'middle']);
    expect((await ask(url)).status).toBe(502);
    expect(seen.length).toBe(4);
    expect(seen.map((headers) => headers['x-request-attempt'] !== undefined)).toEqual([false, true, true, true]);
  });

  it('that fails now and then: the caller does not notice', async () => {
    let asked = 0;
    const { url, seen } = await chain((response) => {
      asked += 1;
      response.writeHead(asked % 2 === 0 ? 200 : 500).end('{}');
    });
    expect([(await ask(url)).status, seen.length]).toEqual([200, 2]);
  });

  it('that hangs: each knows how long the one before it waits, and answers it before that', async () => {
    const { url, seen } = await chain(() => undefined);
    const started = performance.now();
    const { status, body } = await ask(url, undefined, { 'x-request-timeout-ms': '2000' });
    const seconds = (performance.now() - started) / 1000;
    expect([status, body.code, seen.length]).toEqual([504, 'upstream_timeout', 1]);
    expect(seconds).toBeLessThan(3);
    expect(Number(seen[0]?.['x-request-timeout-ms'])).toBeLessThanOrEqual(1_250);
    expect(Number(seen[0]?.['x-request-timeout-ms'])).toBeGreaterThan(800);
  });
});

describe('gateway, order-service and a product-service in trouble', () => {
  type GetProduct = ServerUnaryCall<{ readonly id: number }, unknown>;
  /** In the place of product-service: it counts the calls that reach it, and answers as it is told. */
  const leaf = { mode: 'well' as 'well' | 'dead' | 'hanging', calls: 0, allowedMs: 0 };
  let postgres: Postgres;
  let gateway: ServiceProcess;
  let order: ServiceProcess;
  let product = 0;

  beforeAll(async () => {
    const server = new Server();
    server.addService(productService(), {
      GetProduct: (call: GetProduct, callback: sendUnaryData<unknown>) => {
        leaf.calls += 1;
        leaf.allowedMs = Number(call.getDeadline()) - Date.now();
        if (leaf.mode === 'well') callback(null, { ...call.request, name: 'Bowl', price: 2 });
        if (leaf.mode === 'dead') callback({ code: status.UNAVAILABLE, details: 'dead' });
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    postgres = await startPostgres();
    const everything = await backend((response) => response.end('{}'));
    const nobody = { host: '127.0.0.1', port: await freePort(), user: 'shop', password: 'none', vhost: '/' };
    order = await startService('order-service', {
      ...databaseEnv(await postgres.createDatabase('orders')),
      ...brokerEnv(nobody),
      ...productEnv(`127.0.0.1:${port}`),
    });
    gateway = await startService('api-gateway', gatewayEnv({ 'order-service': order.url }, everything));
    closers.push(() => server.forceShutdown());
  });
  afterAll(async () => {
    await Promise.all([gateway?.stop(), order?.stop()]);
    await postgres?.stop();
  });

  /** An order that may be repeated, of a product that was never asked for: no price of it is remembered. */
  function placed(url = gateway.url, headers: Record<string, string> = {}) {
    product += 1;
    const wanted = { product_id: product, quantity: 1, user_id: randomUUID() };
    return ask(`${url}/orders`, wanted, { 'idempotency-key': `"${randomUUID()}"`, ...headers });
  }

  async function callsFor<T>(work: () => Promise<T>): Promise<{ result: T; calls: number; seconds: number }> {
    const [before, started] = [leaf.calls, performance.now()];
    const result = await work();
    return { result, calls: leaf.calls - before, seconds: (performance.now() - started) / 1000 };
  }

  it('that is well: one call for an order', async () => {
    const { result, calls } = await callsFor(() => placed());
    expect([result.status, calls]).toEqual([201, 1]);
  });

  it('that hangs: one call, and who is nearest to it says so before the others give up', async () => {
    leaf.mode = 'hanging';
    const { result, calls, seconds } = await callsFor(() => placed());
    expect(result.body).toMatchObject({ code: 'upstream_timeout' });
    expect(result.body.detail).toMatch(/^product-service did not answer within 4[67]\d\d ms$/);
    expect([result.status, calls]).toEqual([504, 1]);
    expect(leaf.allowedMs).toBeLessThanOrEqual(4_750);
    expect(seconds).toBeGreaterThan(4.5);
    expect(seconds).toBeLessThan(5.5);
  });

  it('that hangs: a caller with a second learns of it then', async () => {
    const { result, seconds } = await callsFor(() => placed(order.url, { 'x-request-timeout-ms': '1000' }));
    expect(result.status).toBe(504);
    expect(seconds).toBeLessThan(2);
    expect(leaf.allowedMs).toBeLessThanOrEqual(750);
  });

  it('that is dead: at most two calls for an order', async () => {
    leaf.mode = 'dead';
    for (let i = 0; i < 3; i += 1) {
      const { result, calls } = await callsFor(() => placed());
      expect(result.body).toMatchObject({ status: 503, code: 'unavailable' });
      expect(calls).toBe(2);
    }
  });

  it('that is dead for 200 orders: it is left in peace, and what does not need it works as before', async () => {
    const { result, calls } = await callsFor(() => Promise.all(Array.from({ length: 4 }, () => many(50))));
    expect(new Set(result.flat())).toEqual(new Set([503]));
    expect(calls).toBeLessThan(4 + 20); // ten open the breaker, those under way included; then one every two seconds
    expect(await metric(gateway.url, 'circuit_breaker_state{dependency="order-service"}')).toBe(0);
    expect((await ask(`${gateway.url}/orders`)).status).toBe(200);

    async function many(count: number): Promise<number[]> {
      const statuses: number[] = [];
      for (let i = 0; i < count; i += 1) statuses.push((await placed()).status);
      return statuses;
    }
  });

  it('that recovers: orders are taken again within seconds', async () => {
    leaf.mode = 'well';
    await eventually(async () => expect((await placed()).status).toBe(201), { withinMs: 4_000, everyMs: 100 });
    for (let i = 0; i < 20; i += 1) expect((await placed()).status).toBe(201);
  });

  it('the gateway asks no order-service that is dead, and asks again soon after it came back', async () => {
    const port = await freePort();
    const other = await startService('api-gateway', gatewayEnv({ 'order-service': `http://127.0.0.1:${port}` }));
    const codes: string[] = [];
    for (let i = 0; i < 30; i += 1) codes.push((await ask(`${other.url}/orders`)).body.code);
    expect([codes[0], codes.at(-1)]).toEqual(['upstream_error', 'unavailable']);
    expect(await metric(other.url, 'circuit_breaker_state{dependency="order-service"}')).toBe(2);
    const back = createServer((_request, response) => response.end('[]'));
    await new Promise<void>((resolve) => back.listen(port, '127.0.0.1', resolve));
    await eventually(async () => expect((await ask(`${other.url}/orders`)).status).toBe(200), { withinMs: 4_000 });
    expect(await metric(other.url, 'circuit_breaker_state{dependency="order-service"}')).toBe(0);
    await other.stop();
    back.close();
  });
});

describe('the gateway with a slow product-service', () => {
  it('answers for user-service as fast as before', async () => {
    const slow = await backend((response) => void setTimeout(() => response.end('{}'), 3_000));
    const quick = await backend((response) => response.end('{}'));
    const gateway = await startService('api-gateway', gatewayEnv({ 'product-service': slow }, quick));
    closers.push(() => gateway.stop());
    await latencies();
    const before = await latencies();
    let ended = false;
    // All places for product-service are taken, all the time.
    const load = Array.from({ length: 70 }, async () => {
      while (!ended) {
        await (await fetch(`${gateway.url}/products/1`)).arrayBuffer();
        await sleep(300);
      }
    });
    await sleep(500);
    const during = await latencies();
    ended = true;
    await Promise.all(load);
    expect(during.p50).toBeLessThan(before.p50 * 2 + 20);
    expect(during.p95).toBeLessThan(500); // who waits for the slow one waits for seconds

    async function latencies() {
      const times: number[] = [];
      for (let i = 0; i < 200; i += 1) {
        const started = performance.now();
        expect((await ask(`${gateway.url}/users`)).status).toBe(200);
        times.push(performance.now() - started);
      }
      const sorted = times.toSorted((a, b) => a - b);
      return { p50: sorted[100] ?? 0, p95: sorted[190] ?? 0 };
    }
  });
});
