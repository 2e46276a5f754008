import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '../../../services/common/src/serving/problem.ts';
import { type ServiceOptions, service } from '../../../services/common/src/serving/service.ts';

const apps: ReturnType<typeof service>[] = [];

function shop(options: Partial<ServiceOptions> = {}) {
  const app = service({ name: 'shop', version: '1.2.3', logLevel: 'silent', checks: {}, ...options });
  app.get<{ Params: { id: string } }>('/things/:id', async ({ params }) => ({ id: params.id }));
  app.post('/things', async ({ body }) => body);
  app.delete('/things/:id', async () => {
    throw new Error('secret connection string');
  });
  apps.push(app);
  return app;
}

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

describe('errors of a service', () => {
  const json = { 'content-type': 'application/json' };
  it.each([
    ['an unknown path', { method: 'GET', url: '/nothing' }, 404, 'not_found'],
    ['another method on a known path', { method: 'PUT', url: '/things' }, 405, 'method_not_allowed'],
    ['a method that fastify knows and no route has', { method: 'QUERY', url: '/things' }, 405, 'method_not_allowed'],
    ['a bad body on an unknown path', { method: 'POST', url: '/no', payload: '{', headers: json }, 404, 'not_found'],
    ['a body that is no JSON', { method: 'POST', url: '/things', payload: '{', headers: json }, 400, 'invalid_request'],
    ['an empty body', { method: 'POST', url: '/things', payload: '', headers: json }, 400, 'invalid_request'],
    [
      'another media type',
      { method: 'POST', url: '/things', payload: '<a/>', headers: { 'content-type': 'text/xml' } },
      415,
      'unsupported_media_type',
    ],
    [
      'a body above 1 MiB',
      { method: 'POST', url: '/things', payload: `"${'x'.repeat(1024 * 1024)}"`, headers: json },
      413,
      'payload_too_large',
    ],
    ['a path that cannot be decoded', { method: 'GET', url: '/%zz' }, 400, 'invalid_request'],
    ['a fault of ours', { method: 'DELETE', url: '/things/1' }, 500, 'internal'],
  ] as const)('answer %s as a problem', async (_what, request, status, code) => {
    const answer = await shop().inject(request);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ type: 'about:blank', status, code, detail: expect.any(String) });
    expect(answer.body).not.toContain('secret');
  });

  it('say which methods a path knows', async () => {
    const app = shop();
    expect((await app.inject({ method: 'PUT', url: '/things' })).headers.allow).toBe('POST');
    expect((await app.inject({ method: 'POST', url: '/things/7?x=1' })).headers.allow).toBe('DELETE, GET, HEAD');
  });

  it('accept a body of exactly 1 MiB', async () => {
    const payload = JSON.stringify('x'.repeat(1024 * 1024 - 2));
    const request = {
      method: 'POST',
      url: '/things',
      payload,
      headers: { 'content-type': 'application/json' },
    } as const;
    expect((await shop().inject(request)).statusCode).toBe(200);
  });
});

describe('the health of a service', () => {
  const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

  it('is healthy with a timestamp and the version', async () => {
    const app = shop({ checks: { database: async () => undefined } });
    for (const url of ['/healthz', '/readyz']) {
      const answer = await app.inject({ url });
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({ status: 'healthy', timestamp, version: '1.2.3' });
    }
  });

  it('is 503 with every failed check and its reason; the process stays alive', async () => {
    const app = shop({
      checks: {
        database: async () => {
          throw new Problem('unavailable', 'the database does not answer');
        },
        cache: async () => undefined,
        broker: async () => {
          throw new Error('connection refused');
        },
      },
    });
    const answer = await app.inject({ url: '/readyz' });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual({
      status: 'unhealthy',
      timestamp,
      version: '1.2.3',
      reason: 'database: the database does not answer; broker: connection refused',
    });
    expect((await app.inject({ url: '/healthz' })).statusCode).toBe(200);
  });

  it('does not wait for a check that hangs, and asks the dependency once for many probes', async () => {
    let asked = 0;
    const hangs = () => {
      asked += 1;
      return new Promise<void>(() => undefined);
    };
    const app = shop({ checks: { broker: hangs }, timeouts: { checkMs: 30 } });
    const answers = await Promise.all([1, 2, 3].map(() => app.inject({ url: '/readyz' })));
    for (const answer of answers) expect(answer.json().reason).toBe('broker: no answer within 30 ms');
    expect(asked).toBe(1);
  });

  it('is 503 while the service drains, and answers then close the connection', async () => {
    const app = shop();
    app.readiness.drain();
    const answer = await app.inject({ url: '/readyz' });
    expect(answer.statusCode).toBe(503);
    expect(answer.json().reason).toBe('shutting down');
    expect((await app.inject({ url: '/things/1' })).headers.connection).toBe('close');
  });
});

describe('the metrics of a service', () => {
  async function samples(app: ReturnType<typeof service>, name: string): Promise<readonly string[]> {
    const { body } = await app.inject({ url: '/metrics' });
    return body.split('\n').filter((line) => line.startsWith(`${name}{`));
  }

  it('count requests by method, route template and status', async () => {
    const app = shop();
    for (const id of [1, 2, 3]) await app.inject({ url: `/things/${id}` });
    await app.inject({ method: 'DELETE', url: '/things/4' });
    expect(await samples(app, 'http_requests_total')).toEqual([
      'http_requests_total{method="GET",endpoint="/things/:id",status="200"} 3',
      'http_requests_total{method="DELETE",endpoint="/things/:id",status="500"} 1',
    ]);
  });

  it('time requests by method and route template', async () => {
    const app = shop();
    await app.inject({ url: '/things/1' });
    expect(await samples(app, 'http_request_duration_seconds_count')).toEqual([
      'http_request_duration_seconds_count{method="GET",endpoint="/things/:id"} 1',
    ]);
  });

  it('stay as many whatever paths are asked for', async () => {
    const app = shop();
    for (let i = 0; i < 50; i += 1) await app.inject({ url: `/made-up/${i}` });
    expect(await samples(app, 'http_requests_total')).toEqual([
      'http_requests_total{method="GET",endpoint="(unmatched)",status="404"} 50',
    ]);
  });

  it("hold Node's own, and are in Prometheus' text format", async () => {
    const answer = await shop().inject({ url: '/metrics' });
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.body).toContain('nodejs_eventloop_lag_seconds');
    expect(answer.body).toContain('process_resident_memory_bytes');
  });
});

describe('request ids', () => {
  it('are taken over when they are plain, and made anew otherwise', async () => {
    const app = shop();
    const idFor = async (given: string) =>
      (await app.inject({ url: '/things/1', headers: { 'x-request-id': given } })).headers['x-request-id'];
    expect(await idFor('order-7.a_b')).toBe('order-7.a_b');
    expect(await idFor('x'.repeat(65))).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idFor('<script>')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
