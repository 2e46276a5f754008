import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const read = (file: string) => readFileSync(new URL(`../../services/${file}`, import.meta.url), 'utf8');
const problems = read('common/problems.yaml');

/** Serves a service's contract as the service does, and counts how often it was asked for it. */
async function provider(openapi: string, shared = problems) {
  const files: Readonly<Record<string, string>> = { '/openapi.yaml': openapi, '/common/problems.yaml': shared };
  const seen = { asked: 0 };
  const server = createServer(({ url = '' }, response) => {
    if (url === '/openapi.yaml') seen.asked += 1;
    response.writeHead(files[url] === undefined ? 404 : 200).end(files[url]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
  };
  closers.push(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, stop };
}

const order = (shared?: string) => provider(read('order-service/openapi.yaml'), shared);
const product = () => provider(read('product-service/openapi.yaml'));

interface Backends {
  readonly orders?: { readonly url: string };
  readonly products?: { readonly url: string };
}

const routes = [
  { path: '/orders', methods: ['GET', 'POST'], versions: [1, 9], backend: 'orders', scopes: ['orders:read'] },
  { path: '/orders/:number', methods: ['GET'], backend: 'orders' },
  { path: '/orders/:id/events', methods: ['GET'], stream: { backend: 'orders' } },
  { path: '/products', methods: ['GET'], backend: 'products' },
];

const nobody = { url: 'http://127.0.0.1:1' };
const fileOf = ({ orders = nobody, products = nobody }: Backends, more: readonly object[] = []) => ({
  backends: { orders: { url: orders.url }, products: { url: products.url } },
  tokens: { issuer: 'i', audience: 'a', keys: { backend: 'orders', path: '/jwks.json' } },
  routes: [...routes, ...more],
});

async function gatewayOf(file: object) {
  const env = routesEnv(file);
  const gateway = await startService('api-gateway', env);
  closers.push(() => gateway.stop());
  const contract = async () => (await ask(`${gateway.url}/openapi.json`)).body;
  return { ...gateway, contract, file: env.ROUTES_FILE };
}

/** Everything that a document refers to. */
function refsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, it]) => (key === '$ref' && typeof it === 'string' ? [it] : refsIn(it)));
}

const isThere = (document: object, ref: string) =>
  ref
    .split('/')
    .slice(1)
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document) !== undefined;

describe('the contract of the whole', () => {
  it('has what the routes lead to, at the versions that both have, and nothing else', async () => {
    const gateway = await gatewayOf(fileOf({ orders: await order(), products: await product() }));
    const document = await gateway.contract();
    expect(document['x-incomplete']).toBeUndefined();
    expect(Object.keys(document.paths)).toEqual([
      '/orders',
      '/orders/{id}',
      '/orders/{id}/events',
      '/products',
      '/v1/orders',
    ]);
    expect(Object.keys(document.paths['/orders'])).toEqual(['get', 'post']);
    expect(Object.keys(document.paths['/products'])).toEqual(['get']);
    expect(document.paths['/orders/{id}'].get.parameters).toHaveLength(1);
  });

  it('is whole in itself: each reference leads to something in it, named for whose it is', async () => {
    const gateway = await gatewayOf(fileOf({ orders: await order(), products: await product() }));
    const document = await gateway.contract();
    const refs = refsIn(document);
    expect(refs.length).toBeGreaterThan(10);
    expect(refs.filter((ref) => !isThere(document, ref))).toEqual([]);
    const names = Object.values(document.components as Record<string, object>).flatMap((it) => Object.keys(it));
    expect(names).toContain('orders.limit');
    expect(names).toContain('products.limit');
    expect(names.filter((name) => name === 'Problem')).toHaveLength(1);
  });

  it('says what token a path takes', async () => {
    const gateway = await gatewayOf(fileOf({ orders: await order(), products: await product() }));
    const document = await gateway.contract();
    expect(document.paths['/orders'].get.security).toEqual([{ bearer: ['orders:read'] }]);
    expect(document.paths['/products'].get.security).toBeUndefined();
    expect(document.components.securitySchemes.bearer).toMatchObject({ type: 'http', scheme: 'bearer' });
  });

  it('keeps apart what two services call by one name and do not share any more', async () => {
    const other = problems.replace('description: RFC 9457.', 'description: Another one.');
    const gateway = await gatewayOf(fileOf({ orders: await order(other), products: await product() }));
    const { schemas } = (await gateway.contract()).components;
    const said = Object.entries(schemas as Record<string, { description?: string }>)
      .filter(([name]) => name.endsWith('Problem'))
      .map(([name, { description }]) => [name, description]);
    expect(said).toEqual([
      ['Problem', 'Another one.'],
      ['products.Problem', 'RFC 9457.'],
    ]);
  });

  it('is asked for once, and again when the routes change', async () => {
    const [orders, products] = [await order(), await product()];
    const gateway = await gatewayOf(fileOf({ orders, products }));
    await Promise.all(Array.from({ length: 10 }, gateway.contract));
    expect([orders.seen.asked, products.seen.asked]).toEqual([1, 1]);
    const more = { path: '/products/:id', methods: ['GET'], backend: 'products' };
    writeFileSync(gateway.file, stringify(fileOf({ orders, products }, [more])));
    await eventually(async () => expect(await metric(gateway.url, 'gateway_routes_generation')).toBe(2));
    expect(Object.keys((await gateway.contract()).paths)).toContain('/products/{id}');
    expect(orders.seen.asked).toBe(2);
  });

  it('leaves out who does not answer and says so, and has what is known of who did before', async () => {
    const [orders, products] = [await order(), await product()];
    const gateway = await gatewayOf(fileOf({ orders }));
    const document = await gateway.contract();
    expect(document['x-incomplete']).toEqual(['products']);
    expect(Object.keys(document.paths)).toContain('/orders');
    expect(Object.keys(document.paths)).not.toContain('/products');
    await orders.stop();
    writeFileSync(gateway.file, stringify(fileOf({ orders, products })));
    await eventually(async () => expect(await metric(gateway.url, 'gateway_routes_generation')).toBe(2));
    const later = await gateway.contract();
    expect(later['x-incomplete']).toBeUndefined();
    expect(Object.keys(later.paths)).toEqual(expect.arrayContaining(['/orders', '/products']));
  });

  it('cannot be taken by a route', async () => {
    const taken = { path: '/openapi.json', methods: ['GET'], backend: 'orders' };
    const below = { path: '/docs/*', methods: ['GET'], backend: 'orders' };
    await expect(startService('api-gateway', routesEnv(fileOf({}, [taken, below])))).rejects.toThrow(
      /\/openapi\.json, which the gateway answers itself.*\/docs\/\*, which the gateway answers itself/s,
    );
  });
});

describe('the page of the contract', () => {
  it('runs nothing but what is served beside it, and speaks to no other host', async () => {
    const gateway = await gatewayOf(fileOf({}));
    const answer = await fetch(`${gateway.url}/docs`);
    expect([answer.url, answer.status]).toEqual([`${gateway.url}/docs/`, 200]);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('http');
    const html = await answer.text();
    expect(html).not.toMatch(/<script>|<style>|\son\w+=|https?:/);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
    expect(files).toEqual(['swagger-ui.css', 'favicon-32x32.png', 'swagger-ui-bundle.js', 'start.js']);
    for (const file of files) {
      const got = await fetch(`${gateway.url}/docs/${file}`);
      expect([file, got.status, (await got.arrayBuffer()).byteLength > 50]).toEqual([file, 200, true]);
    }
    expect((await ask(`${gateway.url}/docs/index.js`)).status).toBe(404);
    expect((await ask(`${gateway.url}/docs/..%2fpackage.json`)).status).toBe(404);
  });
});
