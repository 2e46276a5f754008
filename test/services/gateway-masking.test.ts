import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { backendProcess, playedBackend } from '../support/played-backend.ts';
import { startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const standIn = { status: 200, headers: { 'cache-control': 'no-store' }, body: { items: [] } };
const both = {
  cache: { seconds: 0, staleIfErrorSeconds: 60 },
  mask: { cached: true, default: standIn },
};
const masks = (by: string) => `gateway_masked_answers_total{route="/things/:id",with="${by}"}`;
const failures = (outcome: string) => `outbound_requests_total{dependency="shop",outcome="${outcome}"}`;

/** A gateway with one route that leads to the backend at `url`. */
async function gatewayTo(url: string, route: object = both, backend: object = {}) {
  const routes = [{ path: '/things/:id', methods: ['GET'], backend: 'shop', ...route }];
  const gateway = await startService('api-gateway', routesEnv({ backends: { shop: { url, ...backend } }, routes }));
  closers.push(() => gateway.stop());
  const get = async (id: string | number) => {
    const { status, headers, body } = await ask(`${gateway.url}/things/${id}`);
    return { status, masked: headers.get('x-masked'), age: headers.get('age'), body };
  };
  return { url: gateway.url, get, metric: (sample: string) => metric(gateway.url, sample), log: gateway.log };
}

async function killable() {
  let running = await backendProcess();
  closers.push(() => running.kill());
  const { port, url } = running;
  return {
    url,
    pid: () => running.pid,
    kill: () => running.kill(),
    restart: async () => {
      running = await backendProcess(port);
    },
  };
}

describe('a backend that is killed', () => {
  it('is masked by its last good answer, or by the default; it is marked and counted, and fresh again when it is back', async () => {
    const shop = await killable();
    const { get, metric: value, log } = await gatewayTo(shop.url);
    const before = await get(1);
    expect(before).toMatchObject({ status: 200, masked: null, age: null, body: { url: '/things/1', pid: shop.pid() } });

    await shop.kill();
    expect(await get(1)).toMatchObject({ status: 200, masked: 'cached', age: '0', body: before.body });
    expect(await get(2)).toMatchObject({ status: 200, masked: 'default', age: null, body: { items: [] } });
    expect([await value(masks('cached')), await value(masks('default'))]).toEqual([1, 1]);
    expect(await value(failures('failed'))).toBe(2);
    expect(log.filter(({ msg }) => msg === 'failure masked')).toHaveLength(2);

    await shop.restart();
    await eventually(async () => expect((await get(1)).masked).toBeNull());
    expect((await get(1)).body).toMatchObject({ url: '/things/1', pid: shop.pid() });
  });

  it('costs no request under a constant load, and each answer that is not its own is marked', async () => {
    const shop = await killable();
    const first = shop.pid();
    const { get, metric: value } = await gatewayTo(shop.url);
    let killed = false;
    let sent = 0;
    const marked: Record<string, number> = { cached: 0, default: 0 };
    const wrong: unknown[] = [];
    const tallied = async (id: number) => {
      const answer = await get(id);
      if (answer.masked !== null) marked[answer.masked] = (marked[answer.masked] ?? 0) + 1;
      return answer;
    };
    const send = async () => {
      sent += 1;
      const afterTheKill = killed;
      const answer = await tallied(sent % 40);
      const own = answer.masked !== null || answer.body.pid === shop.pid() || !afterTheKill;
      if (answer.status !== 200 || !own) wrong.push(answer);
    };
    const underWay = new Set<Promise<void>>();
    const pace = setInterval(() => {
      const sending: Promise<void> = send()
        .catch((error: unknown) => void wrong.push(error))
        .finally(() => underWay.delete(sending));
      underWay.add(sending);
    }, 5);
    closers.push(() => clearInterval(pace));
    const hasSent = (count: number) => eventually(() => expect(sent).toBeGreaterThan(count), { withinMs: 20_000 });
    await hasSent(100);
    await shop.kill();
    killed = true;
    await hasSent(sent + 200);
    await shop.restart();
    await eventually(async () => expect((await tallied(1)).masked).toBeNull());
    await hasSent(sent + 50);
    clearInterval(pace);
    await Promise.all(underWay);

    expect(wrong).toEqual([]);
    expect(shop.pid()).not.toBe(first);
    expect(marked.cached).toBeGreaterThan(100);
    expect([await value(masks('cached')), (await value(masks('default'))) ?? 0]).toEqual([
      marked.cached,
      marked.default,
    ]);
  });
});

describe('a mask', () => {
  it('is for failures alone: what a backend refuses stays refused', async () => {
    let status = 200;
    const shop = await playedBackend(() => ({ status, body: { status } }));
    closers.push(shop.close);
    const { get } = await gatewayTo(shop.url);
    await get(1);
    for (status of [400, 401, 403, 404, 409, 422, 429]) {
      expect(await get(1)).toEqual({ status, masked: null, age: null, body: { status } });
    }
    const seen = [];
    for (status of [500, 502, 503, 504]) seen.push(await get(1));
    expect(seen.map((it) => [it.status, it.masked])).toEqual(Array(4).fill([200, 'cached']));
  });

  it('is for a backend that is too slow for the route, and one that its breaker keeps away from', async () => {
    const never = new Promise<never>(() => undefined);
    const shop = await playedBackend(() => never);
    closers.push(shop.close);
    const breaker = { minAttempts: 2, threshold: 0.1, openMs: 60_000 };
    const { get, metric: value } = await gatewayTo(shop.url, { ...both, timeoutMs: 1_100, retries: 0 }, { breaker });
    const began = performance.now();
    for (const id of [1, 2, 3]) expect((await get(id)).masked).toBe('default');
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(shop.asked).toHaveLength(2);
    expect([await value(failures('late')), await value(failures('breaker_open'))]).toEqual([2, 1]);
  });

  it('is for a caller that has less time than the backend takes', async () => {
    const shop = await playedBackend(() => new Promise<never>(() => undefined));
    closers.push(shop.close);
    const { url } = await gatewayTo(shop.url);
    const { status, headers } = await ask(`${url}/things/1`, undefined, { 'x-request-timeout-ms': '1000' });
    expect([status, headers.get('x-masked')]).toEqual([200, 'default']);
  });

  it('ends with the time that an answer may stand in, and then the failure is told', async () => {
    let status = 200;
    const shop = await playedBackend(() => ({ status, body: {} }));
    closers.push(shop.close);
    const { get } = await gatewayTo(shop.url, {
      cache: { seconds: 0, staleIfErrorSeconds: 2 },
      mask: { cached: true },
    });
    await get(1);
    status = 500;
    expect((await get(1)).masked).toBe('cached');
    await eventually(async () => expect((await get(1)).status).toBeGreaterThanOrEqual(500));
  });

  it('is not an answer to keep', async () => {
    const shop = await killable();
    const mask = { default: { status: 200, body: {} } };
    const { get } = await gatewayTo(shop.url, { mask, cache: { seconds: 60, staleIfErrorSeconds: 60 } });
    await shop.kill();
    expect((await get(1)).masked).toBe('default');
    await shop.restart();
    await eventually(async () => expect((await get(1)).body).toMatchObject({ pid: shop.pid(), url: '/things/1' }));
  });
});
