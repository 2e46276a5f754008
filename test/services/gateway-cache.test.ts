import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { startIssuer } from '../support/issuer.ts';
import { type Play, playedBackend } from '../support/played-backend.ts';
import { startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Each answer is another one. */
const counted = (): Play => {
  let answers = 0;
  return (path) => ({ headers: { etag: '"1"' }, body: { path, number: ++answers } });
};

const route = (cache: object, more = {}) => ({ path: '/things/*', methods: ['GET'], backend: 'shop', cache, ...more });

/** A gateway before one backend, and the routes as they may be changed. */
async function gatewayOver(play: Play, ...routes: readonly object[]) {
  return gatewayWith(play, { routes });
}

async function gatewayWith(
  play: Play,
  { backends, ...file }: { readonly backends?: object; readonly routes: readonly object[]; readonly tokens?: object },
) {
  const backend = await playedBackend(play);
  closers.push(backend.close);
  const fileOf = (routes: readonly object[]) => ({
    ...file,
    backends: { ...backends, shop: { url: backend.url } },
    routes,
  });
  const env = routesEnv(fileOf(file.routes));
  const gateway = await startService('api-gateway', env);
  closers.push(() => gateway.stop());
  const { url } = gateway;
  const change = async (...these: readonly object[]) => {
    const before = (await metric(url, 'gateway_routes_generation')) ?? 0;
    writeFileSync(env.ROUTES_FILE, stringify(fileOf(these)));
    await eventually(async () => expect(await metric(url, 'gateway_routes_generation')).toBe(before + 1));
  };
  const get = (path: string, headers: Record<string, string> = {}) => ask(`${url}${path}`, undefined, headers);
  return { url, backend, change, get };
}

describe('an answer of a route with a cache', () => {
  it('is given again, with its age, and asked for anew when its time is over', async () => {
    const { get, url, backend } = await gatewayOver(counted(), route({ seconds: 1 }));
    const first = await get('/things/1');
    expect([first.body.number, first.headers.get('age')]).toEqual([1, null]);
    const again = await get('/things/1');
    expect([again.body.number, again.headers.get('age')]).toEqual([1, '0']);
    expect(again.headers.get('etag')).toBe('"1"');
    expect((await get('/things/2')).body.number).toBe(2);
    expect((await get('/things/1?a=b')).body.number).toBe(3);
    expect((await get('/things/1', { accept: 'application/json' })).body.number).toBe(4);
    await eventually(async () => expect((await get('/things/1')).body.number).toBe(5));
    expect(backend.asked).toHaveLength(5);
    expect(await metric(url, 'gateway_cache_answers_total{route="/things/*",outcome="miss"}')).toBe(5);
    expect(await metric(url, 'gateway_cache_entries')).toBe(4);
  });

  it('is not kept when it is no 200, or must not be, or nobody knows what it depends on', async () => {
    const plays: Readonly<Record<string, object>> = {
      error: { status: 404 },
      partial: { status: 203 },
      'no-store': { headers: { 'cache-control': 'no-store' } },
      private: { headers: { 'cache-control': 'max-age=9, private' } },
      over: { headers: { 'cache-control': 'max-age=0' } },
      varied: { headers: { vary: '*' } },
    };
    const { get, backend } = await gatewayOver(
      (path) => ({ body: {}, ...plays[path.slice('/things/'.length)] }),
      route({ seconds: 60 }),
    );
    const twice = Object.keys(plays).flatMap((name) => [`/things/${name}`, `/things/${name}`]);
    for (const path of twice) await get(path);
    expect(backend.asked).toEqual(twice);
  });

  it('is asked for anew by who wants it so, and not kept for who does not want that', async () => {
    const { get } = await gatewayOver(counted(), route({ seconds: 60 }));
    const numbers = [];
    for (const cacheControl of ['no-store', 'max-age=60', 'no-cache', 'max-age=60', 'max-age=0', '']) {
      numbers.push((await get('/things/1', { 'cache-control': cacheControl })).body.number);
    }
    expect(numbers).toEqual([1, 2, 3, 3, 4, 4]);
  });

  it('is forgotten when something is changed where it was', async () => {
    const write = { path: '/things/*', methods: ['PUT'], backend: 'shop' };
    const { get, url } = await gatewayOver(counted(), route({ seconds: 60 }), write);
    for (const path of ['/things/1', '/things/2']) await get(path);
    await fetch(`${url}/things/1`, { method: 'PUT' });
    expect([(await get('/things/1')).body.number, (await get('/things/2')).body.number]).toEqual([4, 2]);
  });

  it('stays when other routes change, and is forgotten when its own does', async () => {
    const [same, other] = [route({ seconds: 60 }), { path: '/x', methods: ['GET'], answer: { status: 200 } }];
    const { get, url, change } = await gatewayOver(counted(), same);
    await get('/things/1');
    await change(same, other);
    expect((await get('/things/1')).body.number).toBe(1);
    await change(route({ seconds: 61 }));
    expect((await get('/things/1')).body.number).toBe(2);
    expect(await metric(url, 'gateway_cache_entries')).toBe(1);
    await change(same);
    expect((await get('/things/1')).body.number).toBe(3);
  });
});

describe('an answer for a caller', () => {
  const askers: Play = (_path, { headers }) => ({ body: { user: headers['x-user-id'] ?? null, nonce: Math.random() } });
  const open = route({ seconds: 60, shared: true }, { path: '/shared', scopes: [] });
  const own = route({ seconds: 60 }, { path: '/own', scopes: [] });

  async function callers() {
    const issuer = await startIssuer();
    closers.push(issuer.close);
    const { get } = await gatewayWith(askers, {
      backends: { issuer: { url: issuer.url } },
      tokens: { issuer: 'user-service', audience: 'shop', keys: { backend: 'issuer', path: '/keys' } },
      routes: [open, own],
    });
    return async (path: string, claims: object) =>
      (await get(path, { authorization: `Bearer ${await issuer.token({ claims: { ...claims } })}` })).body;
  }

  it('is that caller’s alone, and only with the same scopes', async () => {
    const get = await callers();
    const ann = await get('/own', { sub: 'ann', scope: 'a b' });
    expect(ann.user).toBe('ann');
    expect(await get('/own', { sub: 'ann', scope: 'b a' })).toEqual(ann);
    expect(await get('/own', { sub: 'ann', scope: 'a' })).not.toEqual(ann);
    expect((await get('/own', { sub: 'bob', scope: 'a b' })).user).toBe('bob');
  });

  it('is everybody’s where the route says so, and then no backend hears who asks', async () => {
    const get = await callers();
    const ann = await get('/shared', { sub: 'ann' });
    expect(ann.user).toBeNull();
    expect(await get('/shared', { sub: 'bob' })).toEqual(ann);
  });
});

describe('requests for the same at the same time', () => {
  it('are one to the backend, and each has its answer', async () => {
    const play = counted();
    const { get, url, backend } = await gatewayOver(
      async (...asked) => {
        await sleep(200);
        return play(...asked);
      },
      route({ seconds: 60 }),
    );
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/things/1')));
    expect(new Set(answers.map(({ body }) => body.number))).toEqual(new Set([1]));
    expect(backend.asked).toHaveLength(1);
    expect(await metric(url, 'gateway_cache_answers_total{route="/things/*",outcome="joined"}')).toBe(19);
  });

  it('outlive the one that came first, and end when all have left', async () => {
    let release = () => undefined as unknown;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { get, url, backend } = await gatewayOver(
      async () => {
        await gate;
        return { body: { here: true } };
      },
      route({ seconds: 60 }),
    );
    const leaves = (path: string) => {
      const leaving = new AbortController();
      const asked = fetch(`${url}${path}`, { signal: leaving.signal }).catch(() => undefined);
      return async () => {
        leaving.abort();
        await asked;
      };
    };
    const underWay = (count: number) =>
      eventually(async () => expect(await metric(url, 'gateway_requests_under_way')).toBe(count));
    const firstLeaves = leaves('/things/1');
    await eventually(() => expect(backend.asked).toEqual(['/things/1']));
    const stays = get('/things/1');
    await underWay(2);
    await firstLeaves();
    await underWay(1);
    const allLeave = leaves('/things/2');
    await eventually(() => expect(backend.asked).toEqual(['/things/1', '/things/2']));
    await allLeave();
    await eventually(() => expect(backend.left()).toBe(1), { withinMs: 2_000 });
    release();
    expect((await stays).body).toEqual({ here: true });
    expect(backend.asked).toHaveLength(2);
  });
});
