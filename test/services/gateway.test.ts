import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { gatewayEnv, metric } from '../support/shop.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A backend under the test's control: a real server that answers as it is told. */
async function backend(initial: Handler) {
  const backend = { answer: initial, url: '', close: () => undefined as unknown };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => backend.answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  backend.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  backend.close = () => {
    server.close();
    server.closeAllConnections();
  };
  return backend;
}

/** Answers with what arrived. */
const echo: Handler = ({ method, url, headers }, response, body) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ method, url, headers, body }));
};

let products: Awaited<ReturnType<typeof backend>>;
let orders: Awaited<ReturnType<typeof backend>>;
let gateway: ServiceProcess;

beforeAll(async () => {
  [products, orders] = await Promise.all([backend(echo), backend(echo)]);
  gateway = await startService('api-gateway', {
    ...gatewayEnv({ 'product-service': products.url, 'order-service': orders.url }),
  });
});
afterAll(async () => {
  expect(await gateway?.stop()).toEqual({ code: 0, signal: null });
  products?.close();
  orders?.close();
});

describe('the gateway', () => {
  it.each([
    ['GET', '/products?limit=2&after=7'],
    ['GET', '/products/7'],
    ['DELETE', '/products/7/parts/%20x'],
  ])('forwards %s %s as it is', async (method, path) => {
    const seen = (await (await fetch(`${gateway.url}${path}`, { method })).json()) as {
      method: string;
      url: string;
    };
    expect([seen.method, seen.url]).toEqual([method, path]);
  });

  it('passes bodies on byte for byte, and only the headers it knows', async () => {
    const body = '{"name":"x" , "price":1.10}';
    const answer = await fetch(`${gateway.url}/orders`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        cookie: 'a=1',
        'x-request-id': 'id-7',
        'x-forwarded-for': '1.2.3.4',
      },
    });
    const seen = (await answer.json()) as { body: string; headers: Record<string, string> };
    expect(seen.body).toBe(body);
    expect(seen.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': 'id-7' });
    expect(seen.headers).not.toHaveProperty('cookie');
    expect(seen.headers).not.toHaveProperty('x-forwarded-for');
    expect(answer.headers.get('x-request-id')).toBe('id-7');
  });

  it("passes the caller's Idempotency-Key on, and what time is left as we say it", async () => {
    const headers = { 'idempotency-key': '"k-1"', 'x-request-timeout-ms': '3000', 'x-already-retried': 'true' };
    const answer = await fetch(`${gateway.url}/orders`, { method: 'POST', headers });
    const seen = (await answer.json()) as { headers: Record<string, string> };
    expect(seen.headers).toMatchObject({ 'idempotency-key': '"k-1"' });
    expect(Number(seen.headers['x-request-timeout-ms'])).toBeLessThanOrEqual(2_750);
    expect(Number(seen.headers['x-request-timeout-ms'])).toBeGreaterThan(1_000);
    expect(seen.headers).not.toHaveProperty('x-already-retried');
  });

  it.each(['GET', 'POST'])('asks again for a %s that fails, only if asking twice does no harm', async (method) => {
    let asked = 0;
    products.answer = (request, response, body) => {
      asked += 1;
      if (asked === 1) response.destroy();
      else echo(request, response, body);
    };
    const { status } = await fetch(`${gateway.url}/products`, { method });
    products.answer = echo;
    expect([status, asked]).toEqual(method === 'GET' ? [200, 2] : [502, 1]);
  });

  it('asks each backend for its own collections, in each version, and no other for them', async () => {
    const owners = {
      'user-service': ['/users/1', '/v1/users/1', '/tokens', '/.well-known/jwks.json'],
      'product-service': ['/products/1', '/v1/products', '/v2/products?limit=2'],
      'order-service': ['/orders/1'],
      'notification-service': ['/notifications'],
      'inventory-service': ['/stock/1', '/v1/reservations/1/release'],
      'payment-service': ['/payments/1/refund'],
      'analytics-service': ['/analytics/products'],
    };
    const names = Object.keys(owners);
    const named = await Promise.all(names.map((name) => backend(({ url }, response) => response.end(name + url))));
    const urls = Object.fromEntries(named.map(({ url }, i) => [names[i], url]));
    const other = await startService('api-gateway', gatewayEnv(urls));
    for (const [name, paths] of Object.entries(owners)) {
      for (const path of paths) expect(await (await fetch(`${other.url}${path}`)).text()).toBe(`${name}${path}`);
    }
    for (const path of ['/v1', '/v3/products']) {
      expect((await fetch(`${other.url}${path}`)).status, path).toBe(404);
    }
    await other.stop();
    for (const { close } of named) close();
  });

  it.each([
    [405, 'method_not_allowed'],
    [503, 'unavailable'],
  ])("passes a backend's own problem %d on unchanged, with what belongs to it", async (status, code) => {
    const problem = `{"type":"about:blank", "status":${status}, "detail":"d", "code":"${code}"}`;
    products.answer = (_request, response) => {
      response.writeHead(status, {
        'content-type': 'application/problem+json; charset=utf-8',
        allow: 'GET',
        server: 'secret/1.0',
        'set-cookie': 'a=1',
      });
      response.end(problem);
    };
    const answer = await fetch(`${gateway.url}/products/1`, { method: 'PATCH' });
    products.answer = echo;
    expect([answer.status, await answer.text(), answer.headers.get('allow')]).toEqual([status, problem, 'GET']);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('server')).toBeNull();
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('answers 502 upstream_error for a backend that is gone or fails without saying why', async () => {
    const gone = await fetch(`${gateway.url}/notifications`);
    const body = await gone.text();
    expect([gone.status, JSON.parse(body).code]).toEqual([502, 'upstream_error']);
    expect(body).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/);

    products.answer = (_request, response) => response.writeHead(500).end('<html>stack trace</html>');
    const failing = await fetch(`${gateway.url}/products`);
    products.answer = echo;
    expect([failing.status, ((await failing.json()) as { code: string }).code]).toEqual([502, 'upstream_error']);
  });

  it('answers 504 upstream_timeout after 5 s, and a silent backend does not slow the others', async () => {
    const released: ServerResponse[] = [];
    orders.answer = (_request, response) => void released.push(response);
    const started = performance.now();
    const stuck = Array.from({ length: 100 }, () => fetch(`${gateway.url}/orders`));
    const slowest = await slowestOf(50, () => fetch(`${gateway.url}/products/1`));
    const statuses = await Promise.all(stuck.map(async (it) => (await it).status));
    const seconds = (performance.now() - started) / 1000;
    orders.answer = echo;

    expect(slowest).toBeLessThan(1_000);
    // 64 wait on connections of their own; the rest is told at once that too many wait.
    expect(statuses.filter((status) => status === 504)).toHaveLength(64);
    expect(statuses.filter((status) => status === 503)).toHaveLength(36);
    expect(seconds).toBeGreaterThan(4.8);
    expect(seconds).toBeLessThan(7);
    // So many in a row open its breaker; the backend works again, so it closes by itself.
    expect(await metric(gateway.url, 'circuit_breaker_state{dependency="order-service"}')).toBe(2);
    await eventually(async () => expect((await fetch(`${gateway.url}/orders`)).status).toBe(200));
  });

  it('stops asking when the caller has left', async () => {
    const backendSaw = new Promise<void>((resolve) => {
      orders.answer = (_request, response) => response.on('close', resolve);
    });
    const caller = new AbortController();
    const asked = fetch(`${gateway.url}/orders`, { signal: caller.signal }).catch(() => 'left');
    setTimeout(() => caller.abort(), 200);
    expect(await asked).toBe('left');
    const left = performance.now();
    await backendSaw;
    expect(performance.now() - left).toBeLessThan(2_500); // by itself, it would ask for 5 s
    orders.answer = echo;
  });

  it('refuses a body above 1 MiB without asking the backend', async () => {
    const answer = await fetch(`${gateway.url}/orders`, {
      method: 'POST',
      body: 'x'.repeat(1024 * 1024 + 1),
    });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([413, 'payload_too_large']);
  });

  it.each(['/', '/metric', '/productsx', '/admin/products'])('knows nothing at %s', async (path) => {
    expect((await fetch(`${gateway.url}${path}`)).status).toBe(404);
  });

  it.each([
    '/products/../metrics',
    '/products/%2e%2e/metrics',
    '/products/.%2E/metrics',
    '/products//orders',
    '/products/a%2fb',
    '/products/a%5cb',
    '/products/a\\b',
    '/products/%00',
    '/products/%zz',
    '/products/%252e%252e',
  ])('refuses %s, which a backend could take for another path', async (path) => {
    const { code } = JSON.parse(await rawGet(path)) as { code: string };
    expect(code).toBe('invalid_request');
  });

  it('goes by the path of a request line that holds a whole address, not by its host', async () => {
    const { url, headers } = JSON.parse(await rawGet('http://elsewhere.example/products/1?x=2'));
    expect([url, `http://${headers.host}`]).toEqual(['/products/1?x=2', products.url]);
  });

  it('is ready although a backend is gone', async () => {
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  });
});

/** The slowest of `count` calls, one after the other, in milliseconds. */
async function slowestOf(count: number, call: () => Promise<Response>): Promise<number> {
  let slowest = 0;
  for (let i = 0; i < count; i += 1) {
    const started = performance.now();
    expect((await call()).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - started);
  }
  return slowest;
}

/** Asks for exactly this path: `fetch` would resolve the dots first. */
function rawGet(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url);
    httpRequest({ hostname, port, path }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => {
        body += chunk;
      });
      answer.on('end', () => resolve(body));
    })
      .on('error', reject)
      .end();
  });
}
