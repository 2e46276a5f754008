import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { RouteFileError, readRoutes } from '../../../services/api-gateway/src/routes/file.ts';

const backends = { shop: { url: 'http://shop:8080' } };
const list = { path: '/things', methods: ['GET'], backend: 'shop' };
const read = (...routes: readonly object[]) => readRoutes(stringify({ backends, routes }));

function faultsOf(content: unknown): readonly string[] {
  try {
    readRoutes(typeof content === 'string' ? content : stringify(content));
  } catch (error) {
    if (error instanceof RouteFileError) return error.faults;
    throw error;
  }
  return [];
}

describe('the routes of a file', () => {
  it('are found by method and path, plain or of a version, with what stands in their places', () => {
    const routes = read(list, { ...list, path: '/things/:id', methods: ['GET', 'DELETE'], versions: [1, 2] });
    expect(routes.match('GET', '/things')).toMatchObject({ template: '/things', params: {} });
    expect(routes.match('DELETE', '/v2/things/7')).toMatchObject({ template: '/v2/things/:id', params: { id: '7' } });
    expect(routes.match('GET', '/v1/things')).toBeUndefined();
    expect(routes.match('GET', '/v3/things/7')).toBeUndefined();
    expect(routes.match('POST', '/things')).toBeUndefined();
    expect(routes.match('GET', '/thing')).toBeUndefined();
    expect(routes.match('GET', '/THINGS')).toBeUndefined();
  });

  it('with GET take HEAD, and say which methods a path has', () => {
    const routes = read(list, { ...list, methods: ['POST'] });
    expect(routes.match('HEAD', '/things')?.route.methods).toEqual(['GET']);
    expect(routes.allowed('/things')).toEqual(['GET', 'HEAD', 'POST']);
    expect(routes.allowed('/other')).toEqual([]);
  });

  it('with a * take everything below, and a plainer one comes first', () => {
    const routes = read(
      { ...list, path: '/things/*' },
      { ...list, path: '/things/:id' },
      { ...list, path: '/things/new' },
    );
    expect(routes.match('GET', '/things/new')?.template).toBe('/things/new');
    expect(routes.match('GET', '/things/7')?.template).toBe('/things/:id');
    expect(routes.match('GET', '/things/7/parts')?.template).toBe('/things/*');
    expect(routes.match('GET', '/things')).toBeUndefined();
  });
});

describe('a route file', () => {
  it.each<readonly [what: string, content: unknown, ...faults: string[]]>([
    ['is no YAML', '{', 'Flow map'],
    ['is a text', 'routes', 'the file must be object'],
    ['is empty', '', 'the file must be object'],
    ['lacks its parts', {}, 'the file lacks backends, routes'],
    ['has no route', { backends, routes: [] }, 'routes must not have fewer than 1 items'],
    ['has a word that is none', { backends, routes: [{ ...list, pth: 1 }] }, 'routes[0] has what it cannot have: pth'],
    ['has a bad path', { backends, routes: [{ ...list, path: 'a' }] }, 'routes[0].path is not a path such as'],
    [
      'has a method that is none',
      { backends, routes: [{ ...list, methods: ['FETCH'] }] },
      'routes[0].methods[0] is not one of GET',
    ],
    [
      'has an address that is none',
      { backends: { shop: { url: 'shop:80' } }, routes: [list] },
      'backends.shop.url is not the address of a server',
    ],
    [
      'has a name that is none',
      { backends: { Shop: { url: 'http://a' } }, routes: [list] },
      'backends has what it cannot have: Shop',
    ],
    [
      'leads nowhere',
      { backends, routes: [{ ...list, backend: 'nobody' }] },
      'routes[0] leads to nobody, which is not among the backends',
    ],
    ['has a route without an aim', { backends, routes: [{ path: '/a', methods: ['GET'] }] }, 'and has none'],
    [
      'has a route with two aims',
      { backends, routes: [{ ...list, answer: { status: 200 } }] },
      'and has backend and answer',
    ],
    [
      'has a route twice',
      { backends, routes: [list, { ...list, methods: ['POST', 'GET'] }] },
      'routes[1] has GET /things, which another route has',
    ],
    [
      'takes what is the gateway’s own',
      { backends, routes: [{ ...list, path: '/metrics' }] },
      'routes[0] has /metrics, which the gateway answers itself',
    ],
    [
      'has a header that breaks lines',
      { backends, routes: [{ path: '/a', methods: ['GET'], answer: { status: 200, headers: { a: 'b\r\nc: d' } } }] },
      'routes[0].answer.headers.a is not the value of a header',
    ],
    [
      'has several faults',
      {
        backends,
        routes: [
          { ...list, path: '' },
          { ...list, x: 1 },
        ],
      },
      'routes[0].path',
      'routes[1] has',
    ],
  ])('that %s is refused, with every fault', (_what, content, ...faults) => {
    const told = faultsOf(content);
    expect(told).toHaveLength(faults.length);
    for (const [index, fault] of faults.entries()) expect(told[index]).toContain(fault);
  });

  it('that is too large is refused before it is read', () => {
    expect(faultsOf(`# ${'x'.repeat(1024 * 1024)}`)).toEqual(['it is larger than 1048576 bytes']);
  });
});
