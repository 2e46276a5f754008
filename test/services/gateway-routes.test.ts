import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { runService, startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A backend that says its name and the path it was asked for, and counts the connections that were made to it. */
async function backend(name: string, delayMs = 0) {
  const seen = { connections: 0, open: 0 };
  const server = createServer(({ url }, response) => {
    const answer = () => response.setHeader('content-type', 'application/json').end(JSON.stringify({ name, url }));
    setTimeout(answer, delayMs);
  });
  server.on('connection', (socket) => {
    seen.connections += 1;
    seen.open += 1;
    socket.on('close', () => {
      seen.open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** A gateway with these routes, which can be changed as whoever mounts the file does. */
async function gatewayWith(routes: object) {
  const env = routesEnv(routes);
  const gateway = await startService('api-gateway', env);
  closers.push(() => gateway.stop());
  const { url, log } = gateway;
  const write = (content: string | object) =>
    writeFileSync(env.ROUTES_FILE, typeof content === 'string' ? content : stringify(content));
  const generation = () => metric(url, 'gateway_routes_generation');
  return {
    url,
    log,
    file: env.ROUTES_FILE,
    generation,
    write,
    change: async (content: object) => {
      const before = await generation();
      write(content);
      await eventually(async () => expect(await generation()).toBe((before ?? 0) + 1));
    },
  };
}

const route = (path: string, name: string) => ({ path, methods: ['GET'], backend: name });
const said = (log: readonly Record<string, unknown>[], msg: string) => log.filter((line) => line.msg === msg);

describe('routes', () => {
  it('change while the gateway runs: new ones are there, old ones are gone, and it is said once', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    const gateway = await gatewayWith({ backends: { a: { url: a.url } }, routes: [route('/one', 'a')] });
    expect((await ask(`${gateway.url}/one`)).body).toEqual({ name: 'a', url: '/one' });
    await gateway.change({ backends: { b: { url: b.url } }, routes: [route('/two', 'b')] });
    expect((await ask(`${gateway.url}/two`)).body).toEqual({ name: 'b', url: '/two' });
    expect((await ask(`${gateway.url}/one`)).status).toBe(404);
    expect(said(gateway.log, 'routes changed')).toMatchObject([{ generation: 2, routes: 1 }]);
  });

  it('that change leave the connections to a backend that stays, and close those to one that goes', async () => {
    const [stays, goes] = [await backend('stays'), await backend('goes')];
    const both = { stays: { url: stays.url }, goes: { url: goes.url } };
    const gateway = await gatewayWith({ backends: both, routes: [route('/stays', 'stays'), route('/goes', 'goes')] });
    for (const path of ['/stays', '/goes']) await ask(`${gateway.url}${path}`);
    expect([stays.seen.open, goes.seen.open]).toEqual([1, 1]);
    await gateway.change({ backends: { stays: { url: stays.url } }, routes: [route('/stays', 'stays')] });
    await eventually(() => expect(goes.seen.open).toBe(0));
    await ask(`${gateway.url}/stays`);
    expect(stays.seen).toEqual({ connections: 1, open: 1 });
  });

  it('that change leave a request under way to its end at the backend where it is', async () => {
    const [slow, other] = [await backend('slow', 3_000), await backend('other')];
    const gateway = await gatewayWith({ backends: { slow: { url: slow.url } }, routes: [route('/x', 'slow')] });
    const asked = ask(`${gateway.url}/x`);
    await eventually(() => expect(slow.seen.open).toBe(1));
    await gateway.change({ backends: { other: { url: other.url } }, routes: [route('/x', 'other')] });
    expect((await ask(`${gateway.url}/x`)).body.name).toBe('other');
    expect(await asked).toMatchObject({ status: 200, body: { name: 'slow' } });
    await eventually(() => expect(slow.seen.open).toBe(0));
  });

  it('are counted and logged under their template, and what has no route under one name', async () => {
    const a = await backend('a');
    const routes = [{ ...route('/things/:id', 'a'), versions: [1] }];
    const gateway = await gatewayWith({ backends: { a: { url: a.url } }, routes });
    for (const path of ['/things/1', '/things/2', '/v1/things/3', '/secret/4']) await ask(`${gateway.url}${path}`);
    const count = (endpoint: string, status: number) =>
      metric(gateway.url, `http_requests_total{method="GET",endpoint="${endpoint}",status="${status}"}`);
    expect(await count('/things/:id', 200)).toBe(2);
    expect(await count('/v1/things/:id', 200)).toBe(1);
    expect(await count('(unmatched)', 404)).toBe(1);
    expect(said(gateway.log, 'request').map(({ endpoint }) => endpoint)).toContain('/things/:id');
  });

  it('can answer by themselves, and say which methods a path has', async () => {
    const answer = { status: 200, headers: { 'cache-control': 'max-age=60' }, body: { hello: 'world' } };
    const gone = { status: 410, body: 'gone' };
    const gateway = await gatewayWith({
      backends: {},
      routes: [
        { path: '/hello', methods: ['GET'], answer },
        { path: '/old/*', methods: ['GET', 'POST'], answer: gone },
      ],
    });
    const hello = await fetch(`${gateway.url}/hello`);
    expect(hello.headers.get('cache-control')).toBe('max-age=60');
    expect(hello.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await hello.json()).toEqual({ hello: 'world' });
    const old = await fetch(`${gateway.url}/old/1`, { method: 'POST' });
    expect([old.status, await old.text()]).toEqual([410, 'gone']);
    const refused = await fetch(`${gateway.url}/hello`, { method: 'DELETE' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`${gateway.url}/hello`, { method: 'HEAD' })).status).toBe(200);
  });
});

describe('a route file that is no good', () => {
  it('is refused as a whole: the last good one stays, and log, metrics and /readyz say why until a good one comes', async () => {
    const a = await backend('a');
    const good = { backends: { a: { url: a.url } }, routes: [route('/one', 'a')] };
    const gateway = await gatewayWith(good);
    gateway.write({ ...good, routes: [route('/two', 'a'), route('/three', 'nobody')] });
    await eventually(async () => expect(await metric(gateway.url, 'gateway_routes_refused')).toBe(1));
    const why = 'the route file has 1 fault: routes[1] leads to nobody, which is not among the backends';
    expect(said(gateway.log, 'routes refused, the last good ones stay')).toMatchObject([
      { level: 'warn', reason: why },
    ]);
    const ready = await ask(`${gateway.url}/readyz`);
    expect([ready.status, ready.body.notes]).toEqual([200, { routes: `the last good ones are in force: ${why}` }]);
    expect((await ask(`${gateway.url}/one`)).status).toBe(200);
    expect((await ask(`${gateway.url}/two`)).status).toBe(404);
    expect(await metric(gateway.url, 'gateway_route_reloads_total{outcome="refused"}')).toBe(1);

    await gateway.change({ ...good, routes: [route('/two', 'a')] });
    expect(await metric(gateway.url, 'gateway_routes_refused')).toBe(0);
    expect((await ask(`${gateway.url}/readyz`)).body).not.toHaveProperty('notes');
    expect((await ask(`${gateway.url}/two`)).status).toBe(200);
  });

  it('or is gone changes nothing', async () => {
    const a = await backend('a');
    const gateway = await gatewayWith({ backends: { a: { url: a.url } }, routes: [route('/one', 'a')] });
    rmSync(gateway.file);
    await eventually(async () => expect(await metric(gateway.url, 'gateway_routes_refused')).toBe(1));
    expect((await ask(`${gateway.url}/one`)).status).toBe(200);
  });

  it('keeps the gateway from starting, with every fault named', async () => {
    const { ended, log } = runService('api-gateway', routesEnv({ backends: {}, routes: [{ path: 'x', methods: [] }] }));
    expect((await ended).code).toBe(1);
    const text = JSON.stringify(log);
    expect(text).toContain('routes[0].path is not a path');
    expect(text).toContain('routes[0].methods must not have fewer than 1 items');
  });
});

describe('changes of the routes under a constant load', () => {
  const changes = Number(process.env.ROUTE_CHANGES ?? 10);
  const running: (() => unknown)[] = [];
  afterAll(() => {
    for (const close of running) close();
  });

  it('cost no request', async () => {
    const names = ['a', 'b', 'c'];
    const backends = await Promise.all(names.map((name) => backend(name, 5)));
    const tables = names.map((_, index) => ({
      backends: { own: { url: backends[index]?.url }, [`only-${index}`]: { url: backends[(index + 1) % 3]?.url } },
      routes: [route('/things/:id', index === 2 ? 'only-2' : 'own'), route(`/extra-${index}`, `only-${index}`)],
    }));
    const gateway = await gatewayWith(tables[0] as object);
    const failed: string[] = [];
    let sent = 0;
    const send = async () => {
      sent += 1;
      const { status, body } = await ask(`${gateway.url}/things/${sent}`);
      if (status !== 200) failed.push(JSON.stringify(body));
    };
    const underWay = new Set<Promise<void>>();
    const pace = setInterval(() => {
      const sending: Promise<void> = send().finally(() => underWay.delete(sending));
      underWay.add(sending);
    }, 5);
    running.push(() => clearInterval(pace));
    for (let change = 1; change <= changes; change += 1) await gateway.change(tables[change % 3] as object);
    clearInterval(pace);
    await Promise.all(underWay);
    expect(failed).toEqual([]);
    expect(sent).toBeGreaterThan(changes * 20);
    expect(await gateway.generation()).toBe(changes + 1);
    await eventually(() =>
      expect(backends.map(({ seen }) => seen.open > 0).filter(Boolean).length).toBeLessThanOrEqual(2),
    );
  }, 300_000);
});
