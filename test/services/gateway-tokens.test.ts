import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportSPKI } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Issuer, now, startIssuer } from '../support/issuer.ts';
import { startService } from '../support/service-process.ts';
import { ask, metric, routesEnv } from '../support/shop.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A backend that answers with the headers it was asked with. */
async function echo(): Promise<string> {
  const server = createServer(({ headers }, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(headers));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A gateway that takes the tokens of an issuer, and what is asked of it with one. */
async function setUp(keys: object = {}) {
  const issuer = await startIssuer();
  closers.push(issuer.close);
  const gateway = await startService(
    'api-gateway',
    routesEnv({
      backends: { shop: { url: await echo() }, issuer: { url: issuer.url } },
      tokens: { issuer: 'user-service', audience: 'shop', keys: { backend: 'issuer', path: '/keys', ...keys } },
      routes: [
        { path: '/orders', methods: ['GET'], backend: 'shop', scopes: ['orders:read'] },
        { path: '/admin', methods: ['GET'], backend: 'shop', scopes: ['orders:read', 'orders:write'] },
        { path: '/anyone-known', methods: ['GET'], backend: 'shop', scopes: [] },
        { path: '/open', methods: ['GET'], backend: 'shop' },
      ],
    }),
  );
  closers.push(() => gateway.stop());
  const get = (path: string, token?: string, headers: Record<string, string> = {}) =>
    ask(`${gateway.url}${path}`, undefined, { ...headers, ...(token === undefined ? {} : bearer(token)) });
  return { issuer, gateway, get, refused: (reason: string) => metric(gateway.url, refusedBy(reason)) };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const refusedBy = (reason: string) => `gateway_refused_requests_total{reason="${reason}"}`;
const invalid = 'Bearer error="invalid_token", error_description="the token is not valid"';
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = () => ({ iss: 'user-service', aud: 'shop', sub: 'user-1', scope: 'orders:read', exp: now() + 60 });

const badTokens: Record<string, (issuer: Issuer) => string | Promise<string>> = {
  'no token at all': () => 'x',
  'one with another signature': async (issuer) => {
    const [head, body] = (await issuer.token()).split('.');
    return `${head}.${body}.${(await issuer.token({ claims: { sub: 'user-2' } })).split('.')[2]}`;
  },
  'one of somebody else with the same key id': (issuer) =>
    issuer.token({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey as never }),
  'one that is unsigned (alg: none)': () =>
    `${encoded({ alg: 'none', kid: 'first', typ: 'JWT' })}.${encoded(claims())}.`,
  'one that the public key signs as if it were a password (HS256)': async (issuer) => {
    const signed = `${encoded({ alg: 'HS256', kid: 'hmac', typ: 'JWT' })}.${encoded(claims())}`;
    const secret = await exportSPKI((await issuer.addKey('hmac')).publicKey);
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  },
  'one that is not valid yet': (issuer) => issuer.token({ claims: { nbf: now() + 60 } }),
  'one that never ends': (issuer) => issuer.token({ claims: { exp: undefined } }),
  'one for another audience': (issuer) => issuer.token({ claims: { aud: 'bank' } }),
  'one of another issuer': (issuer) => issuer.token({ claims: { iss: 'somebody' } }),
  'one of another type': (issuer) => issuer.token({ header: { typ: 'logout+jwt' } }),
  'one without a type': (issuer) => issuer.token({ header: { typ: undefined as never } }),
  'one without a subject': (issuer) => issuer.token({ claims: { sub: undefined } }),
  'one whose subject would end a header': (issuer) => issuer.token({ claims: { sub: 'a\r\nx-user-id: b' } }),
  'one whose key id is unknown': (issuer) => issuer.token({ header: { kid: 'other' } }),
  'one without a key id': (issuer) => issuer.token({ header: { kid: undefined as never } }),
  'one that must be understood in a way of its own': (issuer) =>
    issuer.token({ header: { crit: ['urgent'], urgent: true } }),
};

describe('a route with scopes', () => {
  it('takes a good token, and tells the backend who asks, whatever the caller says', async () => {
    const { issuer, get } = await setUp();
    const forged = { 'x-user-id': 'admin', 'x-user-scopes': 'all', 'x-caller': 'admin' };
    const { status, body } = await get('/orders', await issuer.token(), forged);
    expect([status, body['x-user-id'], body['x-user-scopes']]).toEqual([200, 'user-1', 'orders:read']);
    expect(body).not.toHaveProperty('authorization');
    expect(body).not.toHaveProperty('x-caller');
  });

  it('asks who comes without a token for one', async () => {
    const { get, refused } = await setUp();
    for (const headers of [{}, { authorization: 'Basic YTpi' }]) {
      const { status, body, headers: answered } = await get('/orders', undefined, headers);
      expect([status, body.code, answered.get('www-authenticate')]).toEqual([401, 'unauthenticated', 'Bearer']);
    }
    expect(await refused('no_token')).toBe(2);
  });

  it('refuses each token that is not one of the issuer for it, without saying why', async () => {
    const { issuer, get, refused } = await setUp();
    const seen: Record<string, unknown> = {};
    for (const [what, make] of Object.entries(badTokens)) {
      const { status, body, headers } = await get('/orders', await make(issuer));
      seen[what] = [status, body.code, body.detail, headers.get('www-authenticate')];
    }
    const expected = [401, 'unauthenticated', 'the token is not valid', invalid];
    expect(seen).toEqual(Object.fromEntries(Object.keys(badTokens).map((what) => [what, expected])));
    expect(await refused('bad_token')).toBe(Object.keys(badTokens).length);
  });

  it('says of a token that its time is over, and allows 30 s between the clocks', async () => {
    const { issuer, get, refused } = await setUp();
    const { status, headers } = await get('/orders', await issuer.token({ claims: { exp: now() - 35 } }));
    expect([status, headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="invalid_token", error_description="the token has expired"',
    ]);
    expect(await refused('expired_token')).toBe(1);
    const times = { exp: now() - 20, nbf: now() + 20 };
    expect((await get('/orders', await issuer.token({ claims: times }))).status).toBe(200);
  });

  it('needs all of them', async () => {
    const { issuer, get, refused } = await setUp();
    const { status, body, headers } = await get('/admin', await issuer.token());
    expect([status, body.code, body.detail]).toEqual([403, 'forbidden', 'the token lacks orders:write']);
    const told = 'Bearer error="insufficient_scope", scope="orders:read orders:write"';
    expect(headers.get('www-authenticate')).toBe(told);
    expect(await refused('scope')).toBe(1);
    const both = await issuer.token({ claims: { scope: 'orders:write orders:read users:read' } });
    expect((await get('/admin', both)).status).toBe(200);
  });

  it('takes any token where it names none', async () => {
    const { issuer, get } = await setUp();
    const token = await issuer.token({ claims: { scope: undefined } });
    expect((await get('/anyone-known', token)).body).toMatchObject({ 'x-user-id': 'user-1', 'x-user-scopes': '' });
    expect((await get('/anyone-known')).status).toBe(401);
  });
});

describe('a route without scopes', () => {
  it('takes anyone, does not look at a token, and names nobody to the backend', async () => {
    const { issuer, get } = await setUp();
    for (const token of ['x', await issuer.token(), undefined]) {
      const { status, body } = await get('/open', token, { 'x-user-id': 'admin', 'x-user-scopes': 'all' });
      expect(status).toBe(200);
      for (const header of ['x-user-id', 'x-user-scopes', 'authorization'] satisfies (keyof IncomingHttpHeaders)[]) {
        expect(body).not.toHaveProperty(header);
      }
    }
  });
});

describe('the keys of the issuer', () => {
  it('are fetched before the first token comes, and a new one when the first token that it signed comes', async () => {
    const { issuer, get } = await setUp();
    await eventually(() => expect(issuer.asked()).toBe(1));
    expect((await get('/orders', await issuer.token())).status).toBe(200);
    expect(issuer.asked()).toBe(1);
    await issuer.addKey('second');
    const token = await issuer.token({ kid: 'second' });
    await eventually(async () => expect((await get('/orders', token)).status).toBe(200), {
      withinMs: 2_000,
      everyMs: 100,
    });
    expect(issuer.asked()).toBeLessThanOrEqual(3);
  });

  it('are fetched again, and one that was taken back is refused then', async () => {
    const { issuer, get } = await setUp({ refreshSeconds: 1 });
    const token = await issuer.token();
    expect((await get('/orders', token)).status).toBe(200);
    await issuer.addKey('second');
    issuer.removeKey('first');
    await eventually(async () => expect((await get('/orders', token)).status).toBe(401), {
      withinMs: 4_000,
      everyMs: 100,
    });
  });

  it('hold while the issuer fails, which is said, and not for ever', async () => {
    const { issuer, get, gateway } = await setUp({ refreshSeconds: 1, staySeconds: 3 });
    const token = await issuer.token({ claims: { exp: now() + 600 } });
    expect((await get('/orders', token)).status).toBe(200);
    issuer.setBroken(true);
    const notes = async () => (await ask(`${gateway.url}/readyz`)).body.notes?.keys as string | undefined;
    await eventually(async () => expect(await notes()).toContain('the last known ones hold'));
    expect((await get('/orders', token)).status).toBe(200);
    await eventually(async () => expect((await get('/orders', token)).body.code).toBe('unavailable'), { everyMs: 100 });
    expect((await get('/orders', token)).headers.get('retry-after')).toBe('1');
    issuer.setBroken(false);
    await eventually(async () => expect((await get('/orders', token)).status).toBe(200), { everyMs: 100 });
    expect(await notes()).toBeUndefined();
    const said = gateway.log.map(({ msg }) => msg).filter((msg) => String(msg).startsWith('keys of tokens'));
    expect(said).toEqual(['keys of tokens cannot be fetched', 'keys of tokens are fetched again']);
  }, 30_000);

  it('cost the issuer at most a fetch a second, however many unknown ones are asked for', async () => {
    const { issuer, get } = await setUp();
    const started = performance.now();
    const tokens = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => issuer.token({ header: { kid: `unknown-${index}` } })),
    );
    const statuses = new Set<number>();
    for (let at = 0; at < tokens.length; at += 50) {
      for (const { status } of await Promise.all(tokens.slice(at, at + 50).map((it) => get('/orders', it)))) {
        statuses.add(status);
      }
    }
    expect([...statuses]).toEqual([401]);
    expect(issuer.asked()).toBeLessThanOrEqual(2 + (performance.now() - started) / 1_000);
    expect((await get('/orders', await issuer.token())).status).toBe(200);
  });
});
