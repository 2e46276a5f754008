import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readRoutes } from '../../../services/api-gateway/src/routes/file.ts';

const route = { path: '/things', methods: ['GET'], backend: 'shop' };
const tokens = { issuer: 'i', audience: 'a', keys: { backend: 'shop', path: '/keys' } };

const faultsOf = (file: object): unknown => {
  try {
    readRoutes(stringify({ backends: { shop: { url: 'http://shop' } }, routes: [route], ...file }));
    return [];
  } catch (error) {
    return (error as { faults?: unknown }).faults;
  }
};

describe('a route file', () => {
  it('may say whose tokens are taken, what scopes a route needs and how often each client may ask', () => {
    const routes = [{ ...route, scopes: ['things:read'], rateLimit: 'few' }];
    expect(faultsOf({ tokens, rateLimits: { few: { requests: 5, seconds: 60 } }, routes })).toEqual([]);
  });

  it.each([
    [{ routes: [{ ...route, scopes: [] }] }, 'routes[0] needs a token, but the file has no tokens'],
    [
      { routes: [{ ...route, rateLimit: 'few' }], rateLimits: { many: { requests: 5, seconds: 1 } } },
      'routes[0] has the limit few, which is not among the rateLimits',
    ],
    [
      { tokens: { ...tokens, keys: { backend: 'nobody', path: '/keys' } } },
      'tokens.keys leads to nobody, which is not among the backends',
    ],
    [{ tokens, routes: [{ ...route, scopes: ['a b'] }] }, 'routes[0].scopes[0] is not a scope such as orders:read'],
    [{ rateLimits: { few: { requests: 0, seconds: 1 } } }, 'rateLimits.few.requests must be >= 1'],
  ])('is refused: %j', (file, fault) => {
    expect(faultsOf(file)).toEqual([fault]);
  });
});
