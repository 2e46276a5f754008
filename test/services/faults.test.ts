import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ServiceOptions, service } from '../../services/common/src/serving/service.ts';
import { versioned } from '../../services/common/src/serving/versions.ts';
import { eventually } from '../support/eventually.ts';
import { runService, startService } from '../support/service-process.ts';
import { gatewayEnv, metric } from '../support/shop.ts';

const token = 'a-token-for-tests-only';
const authorization = `Bearer ${token}`;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A service at a port of its own, with two things to ask for. */
async function shop(options: Partial<ServiceOptions> = {}) {
  const app = service({
    name: 'shop',
    version: '1',
    logLevel: 'silent',
    checks: {},
    faultsToken: token,
    timeouts: { answerMs: 1_000 },
    ...options,
  });
  const handled: string[] = [];
  versioned(app, 1, (api) => {
    for (const path of ['/things/:id', '/others/:id']) {
      api.get(path, async ({ url }) => ({ handled: handled.push(url) }));
    }
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  closers.push(
    () => app.server.closeAllConnections(),
    () => app.close(),
  );
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, handled };
}

interface Answer {
  readonly status: number;
  readonly seconds: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  readonly body: any;
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const started = performance.now();
  const response = await fetch(url, { ...init, signal: init.signal ?? AbortSignal.timeout(15_000) });
  const text = await response.text();
  const seconds = (performance.now() - started) / 1000;
  const { status, headers } = response;
  return { status, headers, seconds, body: text === '' ? undefined : JSON.parse(text) };
}

function faults(url: string, method: string, body?: unknown, headers: Record<string, string> = { authorization }) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return ask(`${url}/faults`, {
    method,
    headers: { ...json, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** An application's own paths, which no fault touches. */
const spared = ['/healthz', '/readyz'];

describe('a service without a token for faults', () => {
  it('has no such path and no such metric', async () => {
    const { url } = await shop({ faultsToken: undefined });
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect((await faults(url, method)).body).toMatchObject({ status: 404, code: 'not_found' });
    }
    expect(await metric(url, 'faults_active')).toBeUndefined();
  });
});

describe('faults', () => {
  it.each([
    {},
    { authorization: 'Bearer' },
    { authorization: token },
    { authorization: `Basic ${token}` },
    { authorization: `Bearer ${token}x` },
    { authorization: `Bearer ${token.slice(0, -1)}` },
    { authorization: `Bearer ${token} ${token}` },
  ])("are nobody's to see, set or end who comes with %j", async (headers) => {
    const { url } = await shop();
    await faults(url, 'PUT', { delay_ms: 1, seconds: 60 });
    for (const [method, body] of [
      ['GET'],
      ['PUT', { error_rate: 1, seconds: 60 }],
      ['PUT', '{'],
      ['DELETE'],
    ] as const) {
      const refused = await faults(url, method, body, headers as Record<string, string>);
      expect(refused.body).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await faults(url, 'GET')).body.fault).toMatchObject({ delay_ms: 1, error_rate: 0 });
  });

  it('are not begun when something is wrong with them, and all of it is named', async () => {
    const { url } = await shop();
    const refused = await faults(url, 'PUT', { error_rate: 7, hang_rate: -1 });
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map(({ field }: { field: string }) => field)).toEqual([
      'error_rate',
      'hang_rate',
      'seconds',
    ]);
    expect((await faults(url, 'PUT', '{"error_rate": 1,')).body).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
    expect((await faults(url, 'GET')).body).toEqual({ fault: null });
    expect((await ask(`${url}/things/1`)).status).toBe(200);
  });

  it('make requests fail as if something were down, counted as any failure', async () => {
    const { url, handled } = await shop();
    const begun = await faults(url, 'PUT', { error_rate: 1, seconds: 60 });
    expect([begun.status, begun.body.fault.error_rate]).toEqual([200, 1]);
    expect(Date.parse(begun.body.fault.ends_at) - Date.now()).toBeGreaterThan(55_000);

    const { status, headers, body } = await ask(`${url}/things/1`);
    expect([status, headers.get('content-type')]).toEqual([503, expect.stringMatching(/^application\/problem\+json/)]);
    expect(body).toMatchObject({ code: 'unavailable', detail: 'this failure was asked for at /faults' });
    expect(handled).toEqual([]);
    expect(await metric(url, 'http_requests_total{method="GET",endpoint="/things/:id",status="503"}')).toBe(1);
    expect(await metric(url, 'faults_active')).toBe(1);
    for (const path of spared) expect((await ask(`${url}${path}`)).status).toBe(200);
    expect((await ask(`${url}/nothing`)).status).toBe(404);

    expect((await faults(url, 'DELETE')).status).toBe(204);
    expect((await ask(`${url}/things/1`)).status).toBe(200);
    expect(await metric(url, 'faults_active')).toBe(0);
  });

  it('are about the paths that begin as they say, in every version or in one', async () => {
    const { url } = await shop();
    const statuses = async () => {
      const paths = ['/things/1', '/things/2', '/v1/things/1', '/others/1', '/v1/others/1'];
      return Promise.all(paths.map(async (path) => (await ask(`${url}${path}`)).status));
    };
    await faults(url, 'PUT', { path: '/things/1', error_rate: 1, seconds: 60 });
    expect(await statuses()).toEqual([503, 200, 503, 200, 200]);
    await faults(url, 'PUT', { path: '/v1/', error_rate: 1, seconds: 60 });
    expect(await statuses()).toEqual([200, 200, 503, 200, 503]);
  });

  it('hit about as many requests as they say', async () => {
    const { url, handled } = await shop();
    await faults(url, 'PUT', { error_rate: 0.3, seconds: 60 });
    const statuses: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask(`${url}/things/1`)));
      statuses.push(...answers.map(({ status }) => status));
    }
    const hit = statuses.filter((status) => status === 503).length;
    expect(hit).toBeGreaterThan(200); // 300 of 1000, give or take seven standard deviations
    expect(hit).toBeLessThan(400);
    expect(handled).toHaveLength(1_000 - hit);
  });

  it('delay answers, which are right otherwise', async () => {
    const { url } = await shop();
    await faults(url, 'PUT', { delay_ms: 300, seconds: 60 });
    const { status, seconds } = await ask(`${url}/things/1`);
    expect(status).toBe(200);
    expect(seconds).toBeGreaterThanOrEqual(0.29);
    expect((await ask(`${url}/healthz`)).seconds).toBeLessThan(0.25);
  });

  it('do no work for a request that nobody waits for any more: too late, or its caller has left', async () => {
    const { url, handled } = await shop();
    await faults(url, 'PUT', { delay_ms: 700, seconds: 60 });
    const late = await ask(`${url}/things/1`, { headers: { 'x-request-timeout-ms': '200' } });
    expect(late.body).toMatchObject({
      status: 503,
      code: 'unavailable',
      detail: 'no answer within 200 ms; try again later',
    });
    expect(late.seconds).toBeLessThan(0.6);
    await ask(`${url}/things/2`, { signal: AbortSignal.timeout(100) }).catch(() => undefined);
    await eventually(async () => {
      expect(await metric(url, 'http_requests_total{method="GET",endpoint="/things/:id",status="499"}')).toBe(1);
    });
    expect((await ask(`${url}/things/3`)).status).toBe(200); // after the delay of all three
    expect(handled).toEqual(['/things/3']);
  });

  it('leave requests without an answer until the limit for answers', async () => {
    const { url, handled } = await shop();
    await faults(url, 'PUT', { hang_rate: 1, seconds: 60 });
    const hung = await ask(`${url}/things/1`);
    expect(hung.body).toMatchObject({ status: 503, detail: 'no answer within 1000 ms; try again later' });
    expect(hung.seconds).toBeGreaterThan(0.95);
    expect(handled).toEqual([]);
  });

  it('end by themselves, and the one that replaces another has a time of its own', async () => {
    const { url } = await shop();
    await faults(url, 'PUT', { error_rate: 1, seconds: 1 });
    await faults(url, 'PUT', { error_rate: 1, seconds: 2 });
    const begun = performance.now();
    await eventually(async () => expect((await ask(`${url}/things/1`)).status).toBe(200));
    expect(performance.now() - begun).toBeGreaterThan(1_800);
    expect(performance.now() - begun).toBeLessThan(3_500);
    expect((await faults(url, 'GET')).body).toEqual({ fault: null });
    expect(await metric(url, 'faults_active')).toBe(0);
  });
});

/** A server that answers everything alike, and keeps what it was asked for. */
async function anything(body: unknown) {
  const asked: string[] = [];
  const server = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.writeHead(method === 'POST' && url !== '/tokens' ? 201 : 200).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('the gateway', () => {
  it('forwards nobody to the faults of a backend', async () => {
    const backend = await anything({});
    const gateway = await startService('api-gateway', gatewayEnv({}, backend.url));
    closers.push(() => gateway.stop());
    for (const path of ['/faults', '/v1/faults', '/faults/x']) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await ask(`${gateway.url}${path}`, { method, headers: { authorization } });
        expect(answer.status).toBe(404);
      }
    }
    expect(backend.asked).toEqual([]);
  });

  it('has faults of its own, although it reads no bodies', async () => {
    const backend = await anything({});
    const gateway = await startService('api-gateway', { ...gatewayEnv({}, backend.url), FAULTS_TOKEN: token });
    closers.push(() => gateway.stop());
    const { url } = gateway;
    expect((await ask(`${url}/products/1`)).status).toBe(200);
    expect((await faults(url, 'PUT', { path: '/products', error_rate: 1, seconds: 60 })).status).toBe(200);
    expect((await ask(`${url}/products/1`)).status).toBe(503);
    expect((await faults(url, 'PUT', '{}', { authorization, 'content-type': 'text/plain' })).status).toBe(415);
    expect(backend.asked).toEqual(['GET /products/1']);
  });
});

describe('the token for faults', () => {
  it('is in no line of the log, where the faults are', async () => {
    const gateway = await anything({ items: [{ id: 1 }], id: 'u-1', access_token: 'of a customer', expires_in: 900 });
    const env = { GATEWAY_URL: gateway.url, RATE: '1', FAULTS_TOKEN: token, LOG_LEVEL: 'debug' };
    const process = await startService('loadgen', env);
    await faults(process.url, 'PUT', { error_rate: 1, seconds: 60 });
    await faults(process.url, 'PUT', { delay_ms: 9, seconds: 60 }, { authorization: `Bearer ${token}x` });
    await faults(process.url, 'DELETE');
    await process.stop();
    const fault = { path: '/', delay_ms: 0, error_rate: 1, hang_rate: 0, seconds: 60 };
    expect(process.log).toContainEqual(expect.objectContaining({ level: 'warn', msg: 'fault begins', fault }));
    expect(process.log).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'fault ends', fault, reason: 'deleted' }),
    );
    expect(JSON.stringify(process.log)).not.toContain(token);
  });

  it('must be long: a short one is refused at the start, and not repeated', async () => {
    const { ended, log } = runService('api-gateway', { ...gatewayEnv(), FAULTS_TOKEN: 'short-secret' });
    expect((await ended).code).toBe(1);
    expect(JSON.stringify(log)).toContain('FAULTS_TOKEN is not at least 16');
    expect(JSON.stringify(log)).not.toContain('short-secret');
  });
});
