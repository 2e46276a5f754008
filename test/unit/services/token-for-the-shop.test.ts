import { generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { shopSecrets } from '../../../manifests/install.ts';
import { tokenBy } from '../../../manifests/token.ts';
import { keySetOf } from '../../../services/api-gateway/src/signing-keys.ts';
import { callerOf } from '../../../services/api-gateway/src/tokens.ts';
import { tokenKeys } from '../../../services/user-service/src/token-keys.ts';

const jwks = shopSecrets['user-service-keys']?.().jwks as string;
const published = { keys: [...tokenKeys('TOKEN_KEYS').parse(jwks).published] };
const find = async (kid: string) => (await keySetOf(published)).get(kid);
const expected = { issuer: 'user-service', audience: 'shop' };

describe('a token made for a demonstration', () => {
  it('is one that the gateway takes, for whom and for what was asked', async () => {
    const token = await tokenBy(jwks, { scopes: 'orders:read orders:write', subject: 'ada' });
    expect(await callerOf(token, { find }, expected)).toEqual({
      subject: 'ada',
      scopes: ['orders:read', 'orders:write'],
    });
    const { payload } = await jwtVerify(token, createLocalJWKSet(published));
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
  });

  it('is for everything unless it is said for what, and never for what there is not', async () => {
    const { scopes } = await callerOf(await tokenBy(jwks, { scopes: '', subject: '' }), { find }, expected);
    expect(scopes).toContain('products:read');
    expect(scopes).not.toContain('shop:manage');
    const staff = await callerOf(await tokenBy(jwks, { scopes: 'shop:manage' }), { find }, expected);
    expect(staff.scopes).toEqual(['shop:manage']);
    await expect(tokenBy(jwks, { scopes: 'orders:read all' })).rejects.toThrow(/^no such scope: all; there are /);
  });

  it('is worth nothing when another key signed it', async () => {
    const jwk = {
      ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
      kid: published.keys[0]?.kid,
    };
    const forged = await tokenBy(JSON.stringify({ keys: [jwk] }), {});
    await expect(callerOf(forged, { find }, expected)).rejects.toThrow('the token is not valid');
  });
});
