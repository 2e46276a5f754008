import { afterEach, describe, expect, it } from 'vitest';
import { service } from '../../../services/common/src/serving/service.ts';
import { deprecated, versioned } from '../../../services/common/src/serving/versions.ts';
import { productRoutes } from '../../../services/product-service/src/handlers.ts';

const apps: ReturnType<typeof service>[] = [];
const empty = () => {
  const app = service({ name: 'shop', version: '0', logLevel: 'silent', checks: {} });
  apps.push(app);
  return app;
};
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** Things in two versions, and something that still has its first. */
function shop() {
  const app = empty();
  versioned(app, 2, (api) => void api.get('/things', async () => ({ items: [] })));
  const replaced = { since: new Date(1_000_999), sunset: new Date(0), successor: '/v2/things' };
  deprecated(app, 1, replaced, (api) => void api.get('/things', async () => []));
  versioned(app, 1, (api) => void api.get('/parts', async () => ['part']));
  return app;
}

describe('a route', () => {
  it('has its current version at the plain path, and at the path of the version', async () => {
    const app = shop();
    for (const [url, body] of [
      ['/things', { items: [] }],
      ['/v2/things', { items: [] }],
      ['/parts', ['part']],
      ['/v1/parts', ['part']],
    ] as const) {
      const answer = await app.inject({ url });
      expect([answer.statusCode, answer.json()], url).toEqual([200, body]);
      expect(answer.headers, url).not.toHaveProperty('deprecation');
    }
    expect((await app.inject({ url: '/v2/parts' })).statusCode).toBe(404);
  });

  it('keeps an older version, which says since when, until when, and where to go', async () => {
    const { statusCode, headers, body } = await shop().inject({ url: '/v1/things' });
    expect([statusCode, body]).toEqual([200, '[]']);
    expect(headers).toMatchObject({
      deprecation: '@1000',
      sunset: 'Thu, 01 Jan 1970 00:00:00 GMT',
      link: '</v2/things>; rel="successor-version"',
    });
  });

  it('answers errors, metrics and other methods in each version as it does everywhere', async () => {
    const app = shop();
    const answer = await app.inject({ method: 'PUT', url: '/v2/things' });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(answer.json()).toMatchObject({ code: 'method_not_allowed' });
    await app.inject({ url: '/v1/things' });
    expect((await app.inject({ url: '/metrics' })).body).toContain('endpoint="/v1/things",status="200"} 1');
  });
});

describe('the list of products', () => {
  const products = [1, 2, 3].map((id) => ({ id, name: `No. ${id}`, price: id }));
  function catalog() {
    const app = empty();
    const following = async (after: number, count: number) => products.filter(({ id }) => id > after).slice(0, count);
    productRoutes(app, { following } as never);
    return app;
  }

  it('is a page in version 2, the current one, and the bare list in version 1', async () => {
    const app = catalog();
    const read = async (url: string) => (await app.inject({ url })).json();
    expect(await read('/v1/products?limit=2')).toEqual(products.slice(0, 2));
    expect(await read('/v2/products?limit=2')).toEqual({ items: products.slice(0, 2), next: 2 });
    expect(await read('/products?limit=2')).toEqual(await read('/v2/products?limit=2'));
  });

  it('has a version 1 that ends after it was deprecated, also where it refuses', async () => {
    const { statusCode, headers } = await catalog().inject({ url: '/v1/products?limit=0' });
    expect([statusCode, headers.link]).toEqual([400, '</v2/products>; rel="successor-version"']);
    const since = Number(String(headers.deprecation).slice(1)) * 1000;
    expect(Date.parse(String(headers.sunset)) - since).toBeGreaterThan(180 * 86_400_000);
  });
});
