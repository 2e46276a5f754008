import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { partPath } from '../../../services/api-gateway/src/part-path.ts';
import { pathFault } from '../../../services/api-gateway/src/request-path.ts';
import { RouteFileError, readRoutes } from '../../../services/api-gateway/src/routes/file.ts';
import { shaped } from '../../../services/api-gateway/src/shaping.ts';

describe('the path of a part', () => {
  const values = { params: { id: 'a b' }, parts: { order: { user_id: 'ü', items: [{ n: 7 }], none: null, '..': 1 } } };

  it('has the values of the route and of the parts before it, encoded', () => {
    expect(partPath('/orders/:id', values)).toBe('/orders/a%20b');
    expect(partPath('/users/{order.user_id}/items/{order.items.0.n}', values)).toBe('/users/%C3%BC/items/7');
  });

  it.each(['{order.none}', '{order.items}', '{order.missing}', '{order.toString}', '{user.id}', ':other'])(
    'cannot have %s, which is no value for a path',
    (segment) => {
      expect(() => partPath(`/x/${segment}`, values)).toThrow('is no value for a path');
    },
  );

  it('leads nowhere else, whatever a backend says: one value is one segment, or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('.', '..', '../x', 'a/b', '%2e', '?', '#')),
        (id) => {
          let path: string;
          try {
            path = partPath('/users/{order.id}/x', { params: {}, parts: { order: { id } } });
          } catch {
            return;
          }
          expect(pathFault(path)).toBeUndefined();
          expect(path.split('/')).toHaveLength(4);
          expect(decodeURIComponent(path.split('/')[2] ?? '')).toBe(id);
        },
      ),
    );
  });
});

describe('an answer in a shape', () => {
  const page = { items: [{ id: 1, total: 2, steps: [{ name: 'a', at: 'b' }] }], next: null };

  it('has only the fields to keep, those of each in a list too', () => {
    expect(shaped(page, { keep: ['items.id', 'items.steps.name', 'next'] })).toEqual({
      items: [{ id: 1, steps: [{ name: 'a' }] }],
      next: null,
    });
    expect(shaped(page, { keep: ['items.id', 'items'] })).toEqual({ items: page.items });
    expect(shaped([{ a: 1, b: 2 }, 3], { keep: ['a'] })).toEqual([{ a: 1 }, 3]);
  });

  it('lacks the fields to drop', () => {
    expect(shaped(page, { drop: ['items.steps.at', 'items.total'] })).toEqual({
      items: [{ id: 1, steps: [{ name: 'a' }] }],
      next: null,
    });
    expect(shaped(page, { drop: ['items.id', 'items'] })).toEqual({ next: null });
  });

  it('is the same when it is shaped again, and has no more than before; keeping and dropping do not get in each other’s way', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const content = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.integer(),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(name, tie('node')),
      ),
    })).node;
    const fields = fc.array(
      fc.array(name, { minLength: 1, maxLength: 3 }).map((it) => it.join('.')),
      { minLength: 1, maxLength: 4 },
    );
    const leaves = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Object.values(value).reduce<number>((sum, it) => sum + leaves(it), 0)
        : 1;
    fc.assert(
      fc.property(fc.dictionary(name, content), fields, (whole, names) => {
        for (const shape of [{ keep: names }, { drop: names }]) {
          const once = shaped(whole, shape);
          expect(shaped(once, shape)).toEqual(once);
          expect(leaves(once)).toBeLessThanOrEqual(leaves(whole));
        }
        expect(shaped(shaped(whole, { keep: names }), { drop: names })).toEqual(
          shaped(shaped(whole, { drop: names }), { keep: names }),
        );
      }),
    );
  });
});

describe('a route that says how it is answered', () => {
  const backends = { shop: { url: 'http://shop:8080' } };
  const get = { path: '/x/:id', methods: ['GET'] };
  const of = (path: string, more = {}) => ({ backend: 'shop', path, ...more });
  const faultsOf = (route: object, more = {}) => {
    try {
      readRoutes(stringify({ backends, ...more, routes: [{ ...get, ...route }] }));
    } catch (error) {
      if (error instanceof RouteFileError) return error.faults;
      throw error;
    }
    return [];
  };

  it('by several parts, kept, masked and shaped, is taken', () => {
    const parts = { a: of('/a/:id'), b: of('/b/{a.id}', { optional: true }), c: of('/c/{b.x.0}', { optional: true }) };
    const route = {
      compose: { parts },
      timeoutMs: 1_000,
      retries: 2,
      cache: { seconds: 5, staleIfErrorSeconds: 60, shared: true },
      mask: { cached: true, default: { status: 200, body: {} } },
      shapes: { mobile: { keep: ['a.id'] } },
    };
    expect(faultsOf(route, { profiles: ['mobile'] })).toEqual([]);
  });

  it.each<readonly [what: string, route: object, fault: string]>([
    ['a part of nobody', { compose: { parts: { a: { backend: 'no', path: '/a' } } } }, 'routes[0] leads to no'],
    [
      'a name that the route has not',
      { compose: { parts: { a: of('/a/:other') } } },
      'the part a, whose path has :other',
    ],
    [
      'a part that needs a later one',
      { compose: { parts: { a: of('/a/{b.id}'), b: of('/b') } } },
      'the part a, which needs b, but no such part is before it',
    ],
    ['a part that needs itself', { compose: { parts: { a: of('/a/{a.id}') } } }, 'the part a, which needs a'],
    [
      'a required part that needs an optional one',
      { compose: { parts: { a: of('/a', { optional: true }), b: of('/b/{a.id}') } } },
      'the part b, which is not optional, but needs a, which is',
    ],
    [
      'parts for what is no question',
      { methods: ['POST'], compose: { parts: { a: of('/a') } } },
      'compose, which is for GET alone',
    ],
    ['no part', { compose: { parts: {} } }, 'routes[0].compose.parts'],
    ['a query in a part', { compose: { parts: { a: of('/a?b=c') } } }, 'is not a path such as'],
    [
      'a cache for what is no question',
      { methods: ['GET', 'PUT'], backend: 'shop', cache: { seconds: 1 } },
      'cache, which is for GET alone',
    ],
    [
      'a cache of what nobody is asked',
      { answer: { status: 200 }, cache: { seconds: 1 } },
      'has cache, but asks nobody',
    ],
    [
      'a mask of what is not kept',
      { backend: 'shop', mask: { cached: true } },
      'mask.cached, which needs cache.staleIfErrorSeconds',
    ],
    ['an empty mask', { backend: 'shop', mask: {} }, 'routes[0].mask'],
    [
      'a shape for nobody',
      { backend: 'shop', shapes: { tv: { keep: ['a'] } } },
      'a shape for tv, which is not among the profiles',
    ],
    ['a shape both ways', { backend: 'shop', shapes: { tv: { keep: ['a'], drop: ['b'] } } }, 'routes[0].shapes.tv'],
    ['too many retries', { backend: 'shop', retries: 3 }, 'routes[0].retries'],
  ])('with %s is refused', (_what, route, fault) => {
    const told = faultsOf(route);
    expect(told.join('\n')).toContain(fault);
  });
});
