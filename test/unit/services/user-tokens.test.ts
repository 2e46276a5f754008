import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { inspect } from 'node:util';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../../services/common/src/config/config.ts';
import { tokenKeys } from '../../../services/user-service/src/token-keys.ts';
import { signedTokens } from '../../../services/user-service/src/tokens.ts';

const first = key('first');
const second = key('second');

function key(kid: string, namedCurve = 'P-256'): JsonWebKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  return { ...privateKey.export({ format: 'jwk' }), kid };
}

const read = (keys: unknown) => readText(JSON.stringify({ keys }));
const readText = (text: string) => readConfig({ TOKEN_KEYS: text }, { keys: tokenKeys('TOKEN_KEYS') }).keys;

function fault(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.join('\n');
    throw error;
  }
  return 'none';
}

describe('the keys for tokens', () => {
  it('are all published by their public half, which is all of it', () => {
    expect(read([first, { ...second, alg: 'ES256', use: 'sig' }]).published).toEqual(
      [first, second].map(({ x, y, kid }) => ({ kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' })),
    );
  });

  it('show their private half in no log', () => {
    const keys = read([first]);
    expect(`${JSON.stringify(keys)}${inspect(keys, { depth: 9, showHidden: true })}`).not.toContain(first.d);
  });

  const wrongHalf = { ...first, d: second.d };
  it.each<[string, unknown]>([
    ['holds no key', []],
    ['is not a JSON Web Key Set: it has no list "keys"', undefined],
    ['lacks the kid of key 1', [{ ...first, kid: undefined }]],
    ['lacks the kid of key 2', [first, null]],
    ['has the kid of key 3 twice', [first, second, first]],
    ['is wrong in key 1: it is not for signing with ES256 (kty EC, crv P-256)', [key('first', 'P-384')]],
    ['is wrong in key 1: it is not for signing with ES256 (kty EC, crv P-256)', [{ ...first, use: 'enc' }]],
    ['is wrong in key 1: it is not for signing with ES256 (kty EC, crv P-256)', [{ ...first, alg: 'ES384' }]],
    ['is wrong in key 1: x, y and d are not one private key', [{ ...first, d: undefined }]],
    ['is wrong in key 2: x, y and d are not one private key', [second, wrongHalf]],
    ['is wrong in key 1: x, y and d are not one private key', [{ ...first, x: 7 }]],
  ])('are refused at start: TOKEN_KEYS %s', (message, keys) => {
    expect(fault(() => read(keys))).toBe(`TOKEN_KEYS ${message}`);
  });

  it('are not quoted when they are refused', () => {
    expect(fault(() => readText(`${first.d}`))).toBe('TOKEN_KEYS is not JSON');
  });
});

describe('a token', () => {
  const expected = { issuer: 'user-service', audience: 'shop', algorithms: ['ES256'] };

  it('says for a quarter of an hour who may do what in the shop, signed by the first key', async () => {
    const keys = read([first, second]);
    const answer = await signedTokens(keys)('user-1', ['orders:read', 'orders:write']);
    expect(answer).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 900 });

    const verifier = createLocalJWKSet({ keys: [...keys.published] });
    const { payload, protectedHeader } = await jwtVerify(answer.access_token, verifier, expected);
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'first', typ: 'JWT' });
    expect(payload).toEqual({
      iss: 'user-service',
      aud: 'shop',
      sub: 'user-1',
      scope: 'orders:read orders:write',
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 900,
    });
  });

  it('is refused by whoever does not have its key', async () => {
    const { access_token } = await signedTokens(read([first]))('user-1', []);
    const others = createLocalJWKSet({ keys: [...read([second]).published] });
    await expect(jwtVerify(access_token, others, expected)).rejects.toThrow('no applicable key found');
  });
});
