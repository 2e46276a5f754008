import type { CacheRule } from './routes/schema.ts';

/** What `Cache-Control` says, as RFC 9111 has it. */

type Words = ReadonlyMap<string, string | undefined>;

const word = /([^\s,;="]+)(?:\s*=\s*("[^"]*"|[^\s,;"]*))?/g;

function wordsOf(cacheControl = ''): Words {
  return new Map(
    [...cacheControl.matchAll(word)].map(([, name = '', value]) => [name.toLowerCase(), value?.replaceAll('"', '')]),
  );
}

/** Something that is no number of seconds is too old already. */
function secondsOf(words: Words, name: string): number | undefined {
  if (!words.has(name)) return undefined;
  const value = words.get(name) ?? '';
  return /^\d{1,10}$/.test(value) ? Number(value) : 0;
}

const forbidding = ['no-store', 'private', 'no-cache'];
const neverStale = ['must-revalidate', 'proxy-revalidate', 's-maxage'];
const has = (words: Words, any: readonly string[]) => any.some((it) => words.has(it));
const statedAge = (words: Words) => secondsOf(words, 's-maxage') ?? secondsOf(words, 'max-age');

/** For how long an answer may be used, in seconds. */
export interface Lifetime {
  readonly fresh: number;
  /** After that, in place of one that fails. */
  readonly stale: number;
}

/** How long a backend's answer lives: no longer than the route says, and no longer than the backend does. Undefined when it is not to be kept. */
export function lifetime(cacheControl: string | undefined, rule: CacheRule): Lifetime | undefined {
  const words = wordsOf(cacheControl);
  if (has(words, forbidding)) return undefined;
  const stated = statedAge(words) ?? rule.seconds;
  const stale = Math.min(rule.staleIfErrorSeconds ?? 0, secondsOf(words, 'stale-if-error') ?? Number.POSITIVE_INFINITY);
  return { fresh: Math.min(rule.seconds, stated), stale: has(words, neverStale) ? 0 : stale };
}

/** What holds for an answer that is made of several: as long as all of them say that they live, and what one of them forbids. */
export function strictest(all: readonly (string | undefined)[]): string | undefined {
  const words = all.map(wordsOf);
  if (words.some((it) => has(it, forbidding))) return 'no-store';
  const ages = words.flatMap((it) => statedAge(it) ?? []);
  const stated = ages.length === all.length ? [`max-age=${Math.min(...ages)}`] : [];
  const never = words.some((it) => has(it, neverStale)) ? ['must-revalidate'] : [];
  return [...stated, ...never].join(', ') || undefined;
}

/** What a request accepts. */
export interface Wishes {
  readonly store: boolean;
  /** An answer that is kept is good enough until it is so many seconds old. */
  readonly maxAge: number;
}

export function wishes(cacheControl: string | undefined): Wishes {
  const words = wordsOf(cacheControl);
  const maxAge = words.has('no-cache') ? 0 : (secondsOf(words, 'max-age') ?? Number.POSITIVE_INFINITY);
  return { store: !words.has('no-store'), maxAge };
}
