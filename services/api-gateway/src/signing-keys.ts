import { importJWK } from 'jose';

export type SigningKey = Awaited<ReturnType<typeof importJWK>>;
export type KeySet = ReadonlyMap<string, SigningKey>;

export interface SigningKeys {
  /**
   * The key of that id; one that is not known is asked for, but not sooner than `gapMs` after the last time. Undefined
   * when there is none.
   *
   * @throws NoKeys when no keys are known, or those known are too old
   */
  readonly find: (kid: string) => Promise<SigningKey | undefined>;
  /** To be called again and again: fetches the keys when they are not there, or `refreshMs` old. */
  readonly refreshWhenDue: () => void;
}

export interface SigningKeysOptions {
  /** The issuer's JSON Web Key Set. */
  readonly fetch: () => Promise<unknown>;
  /** Hears of each fetch: undefined when it succeeded, else why not. */
  readonly fetched: (failure: Error | undefined) => void;
  readonly refreshMs: number;
  /** While fetches fail, the last known keys hold for so long. */
  readonly stayMs: number;
  /** The least time between two fetches, whoever asks for what. */
  readonly gapMs: number;
  readonly now?: () => number;
}

export class NoKeys extends Error {
  override readonly name = 'NoKeys';
}

/** The keys of an issuer: fetched when they are due, and at most once for all who wait for them. */
export function signingKeys(options: SigningKeysOptions): SigningKeys {
  const { refreshMs, stayMs, gapMs, now = () => performance.now() } = options;
  let known: { readonly keys: KeySet; readonly at: number } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  const fetchOnce = async () => {
    const at = now();
    askedAt = at;
    try {
      known = { keys: await keySetOf(await options.fetch()), at };
      options.fetched(undefined);
    } catch (error) {
      options.fetched(error instanceof Error ? error : new Error(String(error)));
    }
  };
  /** Whoever asks while keys are fetched waits for the same fetch; whoever asks too soon after one does without. */
  const fetchSoon = async () => {
    if (fetching === undefined && now() - askedAt < gapMs) return;
    fetching ??= fetchOnce().finally(() => {
      fetching = undefined;
    });
    await fetching;
  };
  const held = () => (known !== undefined && now() - known.at <= stayMs + refreshMs ? known.keys : undefined);

  return {
    find: async (kid) => {
      const found = held()?.get(kid);
      if (found !== undefined) return found;
      await fetchSoon();
      const keys = held();
      if (keys === undefined) throw new NoKeys('the keys that verify tokens are not known');
      return keys.get(kid);
    },
    refreshWhenDue: () => {
      if (known === undefined || now() - known.at >= refreshMs) void fetchSoon();
    },
  };
}

/** More keys than an issuer has while it changes them. */
const maxKeys = 32;
const maxIdLength = 200;

/**
 * The keys for ES256 of a JSON Web Key Set, by their id; others in it are not for us (RFC 7517, section 5).
 *
 * @throws Error when it is no set of keys, has too many, or one of ours is none
 */
export async function keySetOf(body: unknown): Promise<KeySet> {
  const keys = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('the answer is no JSON Web Key Set');
  if (keys.length > maxKeys) throw new Error(`the JSON Web Key Set has more than ${maxKeys} keys`);
  const imported = keys
    .filter(isForUs)
    .map(async (key) => [key.kid, await importJWK(publicHalf(key), 'ES256')] as const);
  return new Map(await Promise.all(imported));
}

interface EllipticKey {
  readonly kid: string;
  readonly x: string;
  readonly y: string;
}

function isForUs(key: unknown): key is EllipticKey {
  if (typeof key !== 'object' || key === null) return false;
  const { kty, crv, kid, x, y, alg = 'ES256', use = 'sig' } = key as Record<string, unknown>;
  return (
    [kty, crv, alg, use].join() === 'EC,P-256,ES256,sig' &&
    [kid, x, y].every((it) => typeof it === 'string' && it !== '' && it.length <= maxIdLength)
  );
}

const publicHalf = ({ x, y }: EllipticKey) => ({ kty: 'EC', crv: 'P-256', x, y });
