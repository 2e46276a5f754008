import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keySetOf, NoKeys, signingKeys } from '../../../services/api-gateway/src/signing-keys.ts';

const jwk = (kid: string, curve = 'P-256') => ({
  ...generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ format: 'jwk' }),
  kid,
});
const [first, second] = [jwk('first'), jwk('second')];

/** Keys with a clock of their own, from an issuer that answers as it is told. */
function setUp() {
  const issuer = { keys: [first] as unknown, asked: 0, broken: false, hold: Promise.resolve() };
  const clock = { now: 0 };
  const failures: (string | undefined)[] = [];
  const keys = signingKeys({
    fetch: async () => {
      issuer.asked += 1;
      await issuer.hold;
      if (issuer.broken) throw new Error('away');
      return { keys: issuer.keys };
    },
    fetched: (failure) => failures.push(failure?.message),
    refreshMs: 300_000,
    stayMs: 3_600_000,
    gapMs: 1_000,
    now: () => clock.now,
  });
  const knows = async (kid: string) => (await keys.find(kid)) !== undefined;
  return { issuer, clock, keys, knows, failures };
}

describe('the keys that verify tokens', () => {
  it('are fetched once for all who ask at once', async () => {
    const { issuer, knows } = setUp();
    expect(await Promise.all(['first', 'first', 'second'].map(knows))).toEqual([true, true, false]);
    expect(issuer.asked).toBe(1);
  });

  it('are asked for again for an unknown one, but not within a second of the last time', async () => {
    const { issuer, clock, knows } = setUp();
    await knows('first');
    issuer.keys = [first, second];
    clock.now = 999;
    expect(await knows('second')).toBe(false);
    clock.now = 1_000;
    expect([await knows('second'), issuer.asked]).toEqual([true, 2]);
  });

  it('are fetched when they are due, and not before', async () => {
    const { issuer, clock, keys, knows } = setUp();
    await knows('first');
    issuer.keys = [second];
    clock.now = 299_999;
    keys.refreshWhenDue();
    expect(issuer.asked).toBe(1);
    clock.now = 300_000;
    keys.refreshWhenDue();
    keys.refreshWhenDue();
    expect(issuer.asked).toBe(2);
    expect([await knows('second'), await knows('first'), issuer.asked]).toEqual([true, false, 2]);
  });

  it('stay while the issuer fails, but not longer than they may', async () => {
    const { issuer, clock, keys, knows, failures } = setUp();
    await knows('first');
    issuer.broken = true;
    clock.now = 3_900_000;
    keys.refreshWhenDue();
    expect(await knows('first')).toBe(true);
    clock.now = 3_900_001;
    await expect(keys.find('first')).rejects.toThrow(NoKeys);
    expect(failures).toEqual([undefined, 'away']);
    issuer.broken = false;
    clock.now += 1_000;
    expect(await knows('first')).toBe(true);
  });

  it('keep who asks from knowing nothing as long as there were none yet', async () => {
    const { issuer, keys } = setUp();
    issuer.broken = true;
    await expect(keys.find('first')).rejects.toThrow(NoKeys);
  });
});

describe('a JSON Web Key Set', () => {
  const ids = async (...keys: unknown[]) => [...(await keySetOf({ keys })).keys()];

  it('gives the keys for ES256, and leaves out what is for others', async () => {
    const { kid: _, ...nameless } = first;
    const others = [jwk('p-384', 'P-384'), nameless, { ...second, alg: 'ES512' }, { ...second, use: 'enc' }, null, 'x'];
    expect(
      await ids({ ...first, alg: 'ES256', use: 'sig' }, { kty: 'RSA', kid: 'rsa', n: 'x', e: 'AQAB' }, ...others),
    ).toEqual(['first']);
    expect(await ids({ kty: 'oct', k: 'c2VjcmV0', kid: 'secret', alg: 'HS256' })).toEqual([]);
  });

  it.each([undefined, null, 'x', {}, { keys: 'x' }, { keys: Array.from({ length: 33 }, () => first) }])(
    'is not %j',
    async (body) => {
      await expect(keySetOf(body)).rejects.toThrow('JSON Web Key Set');
    },
  );

  it('is none when one of its points is not on the curve', async () => {
    await expect(keySetOf({ keys: [{ ...first, x: second.x }] })).rejects.toThrow();
  });
});
