import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Setting } from '@microservice-platform/common';

/** The half of a key that everybody may have, as the JWKS publishes it. */
export interface PublicKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
}

export interface TokenKeys {
  /** Signs all new tokens. Its private half is opaque: it shows in no log. */
  readonly signing: { readonly kid: string; readonly key: KeyObject };
  readonly published: readonly PublicKey[];
}

/**
 * A secret: a JSON Web Key Set of private ES256 keys, each with a `kid` of its own. The first signs, all are published.
 * To rotate: add the new key at the end; once every verifier has fetched it, move it to the front; take the old one out
 * when the last token that it signed has expired. No message shows any of it.
 */
export function tokenKeys(variable: string): Setting<TokenKeys> {
  return { variable, secret: true, parse: keysOf };
}

interface KeyPair {
  readonly key: KeyObject;
  readonly shown: PublicKey;
}

function keysOf(text: string): TokenKeys {
  const pairs = keySet(text).map(pairOf);
  const [signing] = pairs;
  if (signing === undefined) throw new Error('holds no key');
  const published = pairs.map(({ shown }) => shown);
  for (const [index, { kid }] of published.entries()) {
    if (published.findIndex((it) => it.kid === kid) !== index) throw new Error(`has the kid of key ${index + 1} twice`);
  }
  return { signing: { kid: signing.shown.kid, key: signing.key }, published };
}

function keySet(text: string): readonly unknown[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error('is not JSON'); // the parser's own message quotes the text
  }
  if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys)) {
    throw new Error('is not a JSON Web Key Set: it has no list "keys"');
  }
  return set.keys;
}

function pairOf(given: unknown, index: number): KeyPair {
  const { kty, crv, x, y, d, kid, alg = 'ES256', use = 'sig' } = (given ?? {}) as Record<string, unknown>;
  const which = `key ${index + 1}`;
  if (typeof kid !== 'string' || kid === '') throw new Error(`lacks the kid of ${which}`);
  if (kty !== 'EC' || crv !== 'P-256' || alg !== 'ES256' || use !== 'sig') {
    throw new Error(`is wrong in ${which}: it is not for signing with ES256 (kty EC, crv P-256)`);
  }
  const halves = halvesOf({ kty, crv, x, y } as JsonWebKey, d);
  if (halves === undefined) throw new Error(`is wrong in ${which}: x, y and d are not one private key`);
  const shown = { ...halves.open.export({ format: 'jwk' }), kid, alg, use } as PublicKey;
  return { key: halves.secret, shown };
}

/** Undefined unless the one half verifies what the other signs. */
function halvesOf(point: JsonWebKey, d: unknown): { readonly secret: KeyObject; readonly open: KeyObject } | undefined {
  const sample = Buffer.from('sample');
  try {
    const secret = createPrivateKey({ key: { ...point, d: d as string }, format: 'jwk' });
    const open = createPublicKey({ key: point, format: 'jwk' });
    return verify('sha256', sample, open, sign('sha256', sample, secret)) ? { secret, open } : undefined;
  } catch {
    return undefined;
  }
}
