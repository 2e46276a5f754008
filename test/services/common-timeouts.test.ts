import { type AddressInfo, connect, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { service } from '../../services/common/src/serving/service.ts';

const closers: (() => unknown)[] = [];
afterAll(async () => {
  await Promise.all(closers.map((close) => close()));
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** What a peer sees on a connection, and after how many seconds it was closed. */
interface Seen {
  readonly text: string;
  readonly seconds: number;
}

/** Connects, lets `talk` write at its own pace, and reads until the connection is closed. */
function seenBy(port: number, talk: (write: (text: string) => void) => void): Promise<Seen> {
  const started = performance.now();
  const socket = connect(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ text, seconds: (performance.now() - started) / 1000 }));
    socket.on('connect', () => talk((it) => void (socket.writable && socket.write(it))));
  });
}

describe.concurrent('a service whose peer is slow', () => {
  const app = service({ name: 'shop', version: '1', logLevel: 'silent', checks: {} });
  const aborted: string[] = [];
  let port = 0;

  beforeAll(async () => {
    app.post('/things', async ({ body }) => body);
    app.route({
      method: ['GET', 'POST'],
      url: '/slow',
      handler: async ({ method, abandoned }) => {
        abandoned.addEventListener('abort', () => aborted.push(method));
        await sleep(30_000, undefined, { signal: abandoned });
      },
    });
    app.get('/large', async () => Buffer.alloc(64 * 1024 * 1024));
    await app.listen({ port: 0, host: '127.0.0.1' });
    port = portOf(app.server);
    closers.push(
      () => app.close(),
      () => app.server.closeAllConnections(),
    );
  });

  it('refuses a head that does not arrive within 5 s', async () => {
    const { text, seconds } = await seenBy(port, (write) => write('GET /things HTTP/1.1\r\nHost: x\r\n'));
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain('"code":"request_timeout"');
    expect(seconds).toBeGreaterThan(4.8);
    expect(seconds).toBeLessThan(6.5);
  });

  it('refuses a body that does not arrive within 5 s, however busily it dribbles, and counts it', async () => {
    const { text, seconds } = await seenBy(port, (write) => {
      write('POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"');
      const dribble = setInterval(() => write('x'), 100);
      closers.push(() => clearInterval(dribble));
    });
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain('"code":"request_timeout"');
    expect(seconds).toBeGreaterThan(4.8);
    expect(seconds).toBeLessThan(6.5);
    expect(await app.metrics.registry.metrics()).toContain(
      'http_requests_total{method="POST",endpoint="/things",status="408"} 1',
    );
  });

  it.each([
    ['GET', undefined],
    ['POST', '{"a":1}'],
  ])('answers 503 when the handler of a %s takes longer than 10 s, and tells it to stop', async (method, body) => {
    const started = performance.now();
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${port}/slow`, {
      method,
      ...(body ? { body, headers } : {}),
    });
    const seconds = (performance.now() - started) / 1000;
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'unavailable' });
    expect(seconds).toBeGreaterThan(9.8);
    expect(seconds).toBeLessThan(11);
    expect(aborted).toContain(method);
  });

  it('cuts off a peer that does not take its answer: 10 s, and one more for the rest', async () => {
    const started = performance.now();
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    closers.push(() => socket.destroy());
    socket.pause();
    socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    while (!(await ended('/large'))) await sleep(50);
    const seconds = (performance.now() - started) / 1000;
    expect(seconds).toBeGreaterThan(10.5);
    expect(seconds).toBeLessThan(12.5);
  });

  /** A request is counted when it has ended. */
  const ended = async (endpoint: string) =>
    (await app.metrics.registry.metrics()).includes(`http_requests_total{method="GET",endpoint="${endpoint}"`);
});

describe.concurrent('an idle connection', () => {
  it('is promised, and kept, for 120 s', async () => {
    const app = service({ name: 'shop', version: '1', logLevel: 'silent', checks: {} });
    await app.listen({ port: 0, host: '127.0.0.1' });
    closers.push(() => app.close());
    const answer = await fetch(`http://127.0.0.1:${portOf(app.server)}/healthz`);
    expect(answer.headers.get('keep-alive')).toBe('timeout=120');
    expect(app.server.keepAliveTimeout).toBe(120_000);
  });

  it('serves further requests, and is closed when it was idle for as long as set', async () => {
    const keepAliveMs = 500;
    const app = service({
      name: 'shop',
      version: '1',
      logLevel: 'silent',
      checks: {},
      timeouts: { keepAliveMs },
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    closers.push(() => app.close());
    const ask = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    const { text, seconds } = await seenBy(portOf(app.server), (write) => {
      write(ask);
      setTimeout(() => write(ask), 300);
    });
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(seconds).toBeGreaterThan(0.79);
    expect(seconds).toBeLessThan(3); // Node adds a second for requests that are on their way
  });
});
