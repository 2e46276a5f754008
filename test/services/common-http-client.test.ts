import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { Registry } from 'prom-client';
import { afterAll, describe, expect, it } from 'vitest';
import { httpClient } from '../../services/common/src/calls/http-client.ts';
import { UpstreamError } from '../../services/common/src/calls/upstream-error.ts';
import { eventually } from '../support/eventually.ts';

const closers: (() => unknown)[] = [];
afterAll(async () => {
  await Promise.all(closers.map((close) => close()));
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe.concurrent('a call to another service', () => {
  async function failure(run: () => Promise<unknown>) {
    const started = performance.now();
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UpstreamError);
    return { error: error as UpstreamError, seconds: (performance.now() - started) / 1000 };
  }

  async function clientOf(answer: Parameters<typeof createServer>[1], options = {}) {
    const server = createServer(answer);
    const port = await listening(server);
    closers.push(() => server.closeAllConnections());
    return httpClient({ baseUrl: `http://127.0.0.1:${port}`, ...options });
  }

  it('that is not answered ends after 5 s', async () => {
    const client = await clientOf(() => undefined);
    const { error, seconds } = await failure(() => client.request('GET', '/'));
    expect(error.code).toBe('upstream_timeout');
    expect(seconds).toBeGreaterThan(4.8);
    expect(seconds).toBeLessThan(6);
  });

  it('that is answered drop by drop ends after 5 s', async () => {
    const client = await clientOf((_request, response) => {
      response.writeHead(200);
      const dribble = setInterval(() => response.write('x'), 100);
      response.on('close', () => clearInterval(dribble));
    });
    const { error, seconds } = await failure(() => client.request('GET', '/'));
    expect(error.code).toBe('upstream_timeout');
    expect(seconds).toBeLessThan(6);
  });

  it('that nobody listens for ends at once', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const client = httpClient({ baseUrl: `http://127.0.0.1:${port}` });
    const { error, seconds } = await failure(() => client.request('GET', '/'));
    expect(error).toMatchObject({ code: 'upstream_error', status: undefined });
    expect(seconds).toBeLessThan(1);
  });

  it.each([301, 404, 409, 500])('that is answered %d is an error that names the status', async (status) => {
    const client = await clientOf((_request, response) => response.writeHead(status).end('{}'));
    const { error } = await failure(() => client.request('GET', '/things/1'));
    expect(error).toMatchObject({ code: 'upstream_error', status });
    expect(error.message).toMatch(new RegExp(`GET http://127.0.0.1:\\d+/things/1 answered ${status}`));
  });

  it.each([
    [503, 'unavailable'],
    [504, 'upstream_timeout'],
  ])('that is answered %d keeps that meaning: %s', async (status, code) => {
    const client = await clientOf((_request, response) => response.writeHead(status).end());
    expect((await failure(() => client.request('GET', '/'))).error).toMatchObject({ code, status });
  });

  it('that is answered with more than 1 MiB is an error, with exactly 1 MiB it is not', async () => {
    const client = await clientOf(({ url }, response) => response.end(Buffer.alloc(Number(url?.slice(1)), 'x')));
    const { error } = await failure(() => client.send('GET', `/${1024 * 1024 + 1}`));
    expect(error.code).toBe('upstream_error');
    expect((await client.send('GET', `/${1024 * 1024}`)).body).toHaveLength(1024 * 1024);
  });

  it('that is answered with no JSON is an error', async () => {
    const client = await clientOf((_request, response) => response.end('<html>'));
    expect((await failure(() => client.request('GET', '/'))).error.message).toContain('not JSON');
  });

  it('sends and returns JSON', async () => {
    const client = await clientOf((request, response) => {
      response.setHeader('x-type', request.headers['content-type'] ?? '');
      request.pipe(response);
    });
    const { status, body, headers } = await client.request('POST', '/', { body: { a: 1 } });
    expect({ status, body, type: headers['x-type'] }).toEqual({
      status: 200,
      body: { a: 1 },
      type: 'application/json',
    });
  });

  it('is refused at once when as many as allowed are under way', async () => {
    const client = await clientOf(() => undefined, { timeoutMs: 500, maxConcurrent: 2 });
    const waiting = [client.request('GET', '/'), client.request('GET', '/')];
    const { error, seconds } = await failure(() => client.request('GET', '/'));
    expect(error.code).toBe('unavailable');
    expect(seconds).toBeLessThan(0.2);
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it.each([
    ['GET', {}, 2],
    ['PUT', {}, 2],
    ['DELETE', {}, 2],
    ['POST', {}, 1],
    ['PATCH', {}, 1],
    ['POST', { headers: { 'Idempotency-Key': '"k"' } }, 2],
  ])('by %s %j that fails is made %d times, each within what is left of its time', async (method, request, times) => {
    const seen: IncomingHttpHeaders[] = [];
    const client = await clientOf(({ headers }, response) => {
      seen.push(headers);
      setTimeout(() => response.writeHead(503).end(), 50);
    });
    expect((await client.send(method, '/', request)).status).toBe(503);
    const [first, second] = seen.map((headers) => Number(headers['x-request-timeout-ms']));
    expect(seen.map((headers) => headers['x-request-attempt'])).toEqual([undefined, '2'].slice(0, times));
    expect(first).toBeGreaterThan(4_500);
    expect(first).toBeLessThanOrEqual(5_000);
    if (times === 2) expect(second).toBeLessThanOrEqual((first ?? 0) - 45);
  });

  it('whose connection breaks is answered all the same, if it may be repeated', async () => {
    let asked = 0;
    const client = await clientOf(({ socket }, response) => {
      asked += 1;
      if (asked % 2 === 1) socket.destroy();
      else response.end('{}');
    });
    expect((await client.request('GET', '/')).status).toBe(200);
    expect((await failure(() => client.request('POST', '/'))).error.code).toBe('upstream_error');
    expect(asked).toBe(3);
  });

  it.each([
    [404, {}],
    [502, { 'x-already-retried': 'true' }],
  ])('that is answered %d %j is not repeated', async (status, headers) => {
    let asked = 0;
    const client = await clientOf((_request, response) => {
      asked += 1;
      response.writeHead(status, headers).end();
    });
    expect((await client.send('GET', '/')).status).toBe(status);
    expect(asked).toBe(1);
  });

  it('is not made while the service fails, and made again soon after it recovered; all of it is counted', async () => {
    let asked = 0;
    let well = false;
    const registry = new Registry();
    const client = await clientOf(
      (_request, response) => {
        asked += 1;
        response.writeHead(well ? 200 : 500).end();
      },
      { name: 'leaf', registry },
    );
    for (let i = 0; i < 10; i += 1) await client.send('POST', '/');
    const { error, seconds } = await failure(() => client.send('POST', '/'));
    expect([error.code, asked]).toEqual(['unavailable', 10]);
    expect(seconds).toBeLessThan(0.1);
    expect(await registry.metrics()).toContain('circuit_breaker_state{dependency="leaf"} 2');
    well = true;
    await eventually(async () => expect((await client.send('POST', '/')).status).toBe(200), { withinMs: 3_000 });
    const metrics = await registry.metrics();
    expect(metrics).toContain('circuit_breaker_state{dependency="leaf"} 0');
    expect(metrics).toContain('outbound_requests_total{dependency="leaf",outcome="failed"} 10');
    expect(metrics).toContain('outbound_requests_total{dependency="leaf",outcome="answered"} 1');
    expect(metrics).toMatch(/outbound_requests_total\{dependency="leaf",outcome="breaker_open"\} \d/);
  });
});
