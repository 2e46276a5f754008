import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** What differs from a good token. */
export interface TokenDifferences {
  readonly kid?: string;
  readonly header?: Partial<JWTHeaderParameters>;
  /** A claim that is undefined is left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: KeyPair['privateKey'];
}

/** An issuer of tokens under the test's control: a real server that publishes the keys it is told to. */
export interface Issuer {
  readonly url: string;
  /** How often its keys were asked for. */
  readonly asked: () => number;
  /** Makes a key of that id, and publishes it. */
  readonly addKey: (kid: string) => Promise<KeyPair>;
  readonly removeKey: (kid: string) => void;
  /** From now on it answers 500, or as it should again. */
  readonly setBroken: (broken: boolean) => void;
  readonly token: (differences?: TokenDifferences) => Promise<string>;
  readonly close: () => void;
}

export const now = () => Math.floor(Date.now() / 1_000);

/** With one key, whose id is `first`. */
export async function startIssuer(): Promise<Issuer> {
  const pairs = new Map<string, KeyPair>();
  const published = new Map<string, object>();
  let asked = 0;
  let broken = false;
  const server = createServer((_request, response) => {
    asked += 1;
    if (broken) return response.writeHead(500).end();
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [...published.values()] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const addKey = async (kid: string) => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    pairs.set(kid, pair);
    published.set(kid, { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256', use: 'sig' });
    return pair;
  };
  await addKey('first');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    addKey,
    removeKey: (kid) => void published.delete(kid),
    setBroken: (to) => {
      broken = to;
    },
    token: ({ kid = 'first', header = {}, claims = {}, key } = {}) => {
      const good = {
        iss: 'user-service',
        aud: 'shop',
        sub: 'user-1',
        scope: 'orders:read',
        iat: now(),
        exp: now() + 60,
      };
      return new SignJWT(JSON.parse(JSON.stringify({ ...good, ...claims })))
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT', ...header })
        .sign(key ?? (pairs.get(kid) as KeyPair).privateKey, { crit: { urgent: true } });
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
