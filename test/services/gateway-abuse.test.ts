import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

/** What reached the backend. */
const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
const backend = createServer((request, response) => {
  seen.push({ url: request.url, headers: request.headers });
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
});
let gateway: ServiceProcess;
let issuer: Issuer;

beforeAll(async () => {
  issuer = await startIssuer();
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  gateway = await startService('api-gateway', {
    ...routesEnv({
      backends: {
        shop: { url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}` },
        issuer: { url: issuer.url },
      },
      tokens: { issuer: 'user-service', audience: 'shop', keys: { backend: 'issuer', path: '/keys' } },
      routes: [
        { path: '/things', methods: ['GET', 'POST'], backend: 'shop' },
        { path: '/things/:id', methods: ['GET'], backend: 'shop' },
        { path: '/mine', methods: ['GET', 'POST'], backend: 'shop', scopes: [] },
      ],
    }),
    // With room to spare, garbage would be left lying and look like a leak.
    NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=8',
  });
});
afterAll(async () => {
  expect(await gateway?.stop()).toEqual({ code: 0, signal: null });
  backend.close();
  backend.closeAllConnections();
  issuer?.close();
});
beforeEach(() => void seen.splice(0));

/** What the gateway says to these bytes until it closes the connection, or has said nothing for `quietMs`. */
async function say(bytes: string, quietMs = 1_000): Promise<string> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.setTimeout(quietMs, () => socket.destroy());
  const closed = once(socket, 'close');
  socket.write(bytes, 'latin1');
  await closed;
  return answer;
}

const lines = (...all: readonly string[]) => `${all.join('\r\n')}\r\n`;
const statusesIn = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
/** Hidden behind a request, for a gateway and a backend that do not agree where it ends. */
const smuggled = lines('GET /things/smuggled HTTP/1.1', 'Host: a', '');
const post = (...headers: readonly string[]) => lines('POST /things HTTP/1.1', 'Host: a', ...headers, '');

const ambiguous: Record<string, string> = {
  'a length and chunks': `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
  'chunks and a length': `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n${smuggled}`,
  'two lengths': `${post('Content-Length: 0', `Content-Length: ${smuggled.length}`)}${smuggled}`,
  'the same length twice': `${post('Content-Length: 2', 'Content-Length: 2')}{}${smuggled}`,
  'two lengths in one header': `${post('Content-Length: 0, 5')}${smuggled}`,
  'a length with a sign': `${post('Content-Length: +0')}${smuggled}`,
  'a length that is not decimal': `${post('Content-Length: 0x5')}${smuggled}`,
  'a header that is folded': `${post('X-A: b', ' Content-Length: 5', 'Content-Length: 0')}${smuggled}`,
  'a space before the colon': `${post('Content-Length : 5')}${smuggled}`,
  'a header without a name': `${post(': chunked')}${smuggled}`,
  'another coding than chunks': `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}`,
  'chunks that are not the last coding': `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n${smuggled}`,
  'a coding that is spelled with a control character': `${post('Transfer-Encoding: \x0bchunked')}0\r\n\r\n${smuggled}`,
  'a chunk whose size is no number': `${post('Transfer-Encoding: chunked')}zz\r\n\r\n${smuggled}`,
  'a chunk that is longer than it says': `${post('Transfer-Encoding: chunked')}1\r\nabc\r\n0\r\n\r\n${smuggled}`,
  'lines that end in LF alone': `POST /things HTTP/1.1\nHost: a\nContent-Length: 0\n\n${smuggled}`,
  'NUL in a header': `${post('X-A: a\0b')}${smuggled}`,
  'CR in a header': `${post('X-A: a\rContent-Length: 5')}${smuggled}`,
  'another protocol': lines('PRI * HTTP/2.0', '', 'SM', ''),
  'a method that nobody has': lines('SMUGGLE /things HTTP/1.1', 'Host: a', ''),
  'a space in the path': lines('GET /things /x HTTP/1.1', 'Host: a', ''),
};

describe('a request that two servers could read in two ways', () => {
  it.each(Object.keys(ambiguous))('is refused, and its connection closed: %s', async (what) => {
    const answer = await say(ambiguous[what] as string);
    expect(statusesIn(answer)).toEqual([400]);
    expect(answer).toContain('"code":"invalid_request"');
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(seen.map(({ url }) => url)).not.toContain('/things/smuggled');
  });
});

describe('a request without a host', () => {
  it('is refused, and its connection closed', async () => {
    const answer = await say(`${lines('GET /things HTTP/1.1', '')}${smuggled}`);
    expect(statusesIn(answer)).toEqual([400]);
    expect(seen).toEqual([]);
  });
});

describe('a path that is none', () => {
  it.each([
    '/things/../mine',
    '/things/%2e%2e/mine',
    '/things//x',
    '/things/%2f',
    '/things/%5c',
    '/things/%00',
    '/things/%',
    '/things/%c0%af',
    '/things/%ff',
    '/things/\x80',
    '/things/#x',
    'things',
    '//things',
    'http://a/../mine',
    '*',
  ])('is refused, and no backend is asked: %j', async (path) => {
    const [status] = statusesIn(await say(lines(`GET ${path} HTTP/1.1`, 'Host: a', 'Connection: close', '')));
    expect([400, 404]).toContain(status);
    expect(seen).toEqual([]);
  });
});

describe('a header of a caller', () => {
  it('reaches a backend only if it is one of those that may', async () => {
    const forged = [
      'X-User-Id: admin',
      'X-User-Scopes: everything',
      'X-Forwarded-For: 1.2.3.4',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: https',
      'X-Real-Ip: 1.2.3.4',
      'Forwarded: for=1.2.3.4',
      'Via: 1.1 evil',
      'Cookie: session=1',
      'Authorization: Bearer x',
      'Proxy-Authorization: Basic x',
      'Connection: close, X-User-Id',
      'Keep-Alive: timeout=600',
      'Te: trailers',
      'Trailer: X-A',
      'Upgrade: h2c',
      'Http2-Settings: x',
      'X-Http-Method-Override: DELETE',
      'X-Original-Url: /admin',
      'X-Request-Timeout-Ms: 1000',
      'X-Request-Attempt: 2',
      'X-Already-Retried: true',
      'X-Request-Id: a b',
      'Idempotency-Key: "k"',
      'Accept: application/json',
    ];
    expect(statusesIn(await say(lines('GET /things HTTP/1.1', 'Host: evil.example', ...forged, '')))).toEqual([200]);
    const { host, connection, ...headers } = seen[0]?.headers ?? {};
    expect(host).not.toContain('evil');
    expect(connection).toBe('keep-alive');
    const names = Object.keys(headers).sort();
    expect(names).toEqual([
      'accept',
      'idempotency-key',
      'x-request-attempt', // the caller repeats, so nothing is repeated for it
      'x-request-id',
      'x-request-timeout-ms',
    ]);
    expect(headers['x-request-attempt']).toBe('1');
    expect(headers['x-request-id']).toMatch(/^[\w-]{36}$/);
    expect(Number(headers['x-request-timeout-ms'])).toBeLessThan(1_000);
  });
});

describe('a request that is too large', () => {
  const mebibyte = 1024 * 1024;
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;

  it.each([
    ['a body', 413, `${post(`Content-Length: ${mebibyte + 1}`)}${'x'.repeat(mebibyte + 1)}`],
    ['a body that says so before it comes', 413, post('Content-Length: 999999999999')],
    ['a body in chunks', 413, `${post('Transfer-Encoding: chunked')}${chunk.repeat(17)}`],
    ['a header', 400, `${lines('GET /things HTTP/1.1', 'Host: a', `X-A: ${'x'.repeat(20_000)}`, '')}`],
    [
      'headers together',
      400,
      lines('GET /things HTTP/1.1', 'Host: a', ...Array.from({ length: 3_000 }, () => 'A: bc'), ''),
    ],
    ['a path', 400, lines(`GET /things/${'x'.repeat(20_000)} HTTP/1.1`, 'Host: a', '')],
    ['a token', 400, lines('GET /mine HTTP/1.1', 'Host: a', `Authorization: Bearer ${'x'.repeat(20_000)}`, '')],
  ])('is refused, and no backend is asked: %s', async (_what, status, bytes) => {
    expect(statusesIn(await say(bytes)).slice(0, 1)).toEqual([status]);
    expect(seen).toEqual([]);
  });
});

/** Sends `start` at once and `rest` byte by byte; gives the status, and how long it took, in seconds. */
async function dribble(start: string, rest: string): Promise<readonly [number | undefined, number]> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  const started = performance.now();
  let answer = '';
  let open = true;
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    open = false;
  });
  socket.write(start);
  for (let at = 0; at < rest.length && open; at += 1) {
    socket.write(rest.charAt(at));
    await sleep(100);
  }
  socket.destroy();
  return [statusesIn(answer)[0], (performance.now() - started) / 1_000];
}

describe('callers that send slowly', () => {
  it('are told after 5 s that it took too long, and slow nobody else', async () => {
    const rest = 'x'.repeat(200);
    const dribbling = Array.from({ length: 100 }, (_, index) =>
      index % 2 === 0
        ? dribble('GET /things HTTP/1.1\r\nHost: a\r\nX-A: ', rest)
        : dribble(post('Content-Length: 200'), rest),
    );
    const slowest = { ms: 0 };
    for (let good = 0; good < 30; good += 1) {
      const started = performance.now();
      expect((await ask(`${gateway.url}/things`)).status).toBe(200);
      slowest.ms = Math.max(slowest.ms, performance.now() - started);
      await sleep(100);
    }
    const ended = await Promise.all(dribbling);
    expect(new Set(ended.map(([status]) => status))).toEqual(new Set([408]));
    expect(Math.max(...ended.map(([, seconds]) => seconds))).toBeLessThan(9);
    expect(slowest.ms).toBeLessThan(1_000);
  });
});

describe('thousands of bad requests', () => {
  const count = Number(process.env.BAD_REQUESTS ?? 1_000);

  it('are each refused, cost no memory that stays, and keep no good request from its answer', async () => {
    const makers = [
      () => ambiguous['a length and chunks'] as string,
      () => lines('GET /mine HTTP/1.1', 'Host: a', 'Authorization: Bearer x.y.z', 'Connection: close', ''),
      (index: number) => lines(`GET /nothing/${index} HTTP/1.1`, 'Host: a', 'Connection: close', ''),
      (index: number) => lines(`GET /things/%00${index} HTTP/1.1`, 'Host: a', 'Connection: close', ''),
      () =>
        `${lines('POST /mine HTTP/1.1', 'Host: a', 'Content-Length: 70000', 'Connection: close', '')}${'x'.repeat(70_000)}`,
    ];
    const statuses = new Set<number | undefined>();
    const attack = async (from: number, to: number) => {
      for (let at = from; at < to; at += 1) {
        const make = makers[at % makers.length] as (index: number) => string;
        statuses.add(statusesIn(await say(make(at), 5_000))[0]);
      }
    };
    const wave = (from: number, to: number) => {
      const share = Math.ceil((to - from) / 20);
      return Promise.all(
        Array.from({ length: 20 }, (_, at) => attack(from + at * share, Math.min(to, from + (at + 1) * share))),
      );
    };
    let going = true;
    const good: number[] = [];
    const answering = (async () => {
      while (going) {
        good.push((await ask(`${gateway.url}/things`)).status);
        await sleep(5);
      }
    })();
    const heap = async () => (await metric(gateway.url, 'nodejs_heap_size_used_bytes')) ?? 0;
    const resident = async () => (await metric(gateway.url, 'process_resident_memory_bytes')) ?? 0;
    await wave(0, count); // the code is warm, and the heap as large as it needs
    const [heapBefore, residentBefore] = [await heap(), await resident()];
    await wave(count, 2 * count);
    const [heapAfter, residentAfter] = [await heap(), await resident()];
    going = false;
    await answering;
    expect(statuses).toEqual(new Set([400, 401, 404]));
    expect(new Set(good)).toEqual(new Set([200]));
    expect(good.length).toBeGreaterThan(20);
    expect((heapAfter - heapBefore) / 2 ** 20).toBeLessThan(20);
    expect((residentAfter - residentBefore) / 2 ** 20).toBeLessThan(40);
    expect(seen.map(({ url }) => url).filter((url) => url !== '/things')).toEqual([]);
  }, 300_000);
});
