import { createHash, createHmac } from 'node:crypto';
import type { KubeObject, ObjectKey, ObjectMeta, ObjectRef } from '../api/object.ts';
import { absent, type ContentRef, type Digests, unread } from '../desired/content.ts';
import { backoff } from '../support/backoff.ts';
import type { Log } from '../support/log.ts';
import { ClusterError } from './errors.ts';
import { idOf } from './store.ts';

export type ContentKind = ContentRef['kind'];

export interface ContentsOptions {
  /** Asks the API server for one object; undefined when there is none. */
  readonly fetch: (ref: ObjectRef) => Promise<KubeObject | undefined>;
  /** What the watch has told of an object, from memory; undefined when there is none. */
  readonly lookUp: (kind: ContentKind, key: ObjectKey) => ObjectMeta | undefined;
  /** The key of the digests of Secrets; may throw while it is not known, and is asked for again later. */
  readonly secretKey: () => Buffer;
  /** Told about every Microservice whose content in use is another one, or is known at last. */
  readonly onChange: (microservice: ObjectKey) => void;
  readonly log: Pick<Log, 'debug' | 'warn' | 'error'>;
}

/** An object that somebody refers to. There is one as long as somebody does, or while it is being fetched. */
interface Source {
  readonly id: string;
  readonly kind: ContentKind;
  readonly key: ObjectKey;
  /** Ids of the Microservices that use it. */
  readonly users: Set<string>;
  /** `waiting` in the queue, `fetching`, or `putOff` after a failure; never two of them. */
  phase: 'idle' | 'waiting' | 'fetching' | 'putOff';
  known: Known | undefined;
  /** Fetches that failed since one succeeded. */
  failures: number;
  retry: NodeJS.Timeout | undefined;
}

/** What a fetch gave. */
interface Known {
  /** The version that the watch had told of when it began. */
  readonly asked: ObjectMeta;
  /** The version that came: newer where the watch was behind. All versions between the two are behind it as well. */
  readonly got: ObjectMeta;
  /** A digest for each key; undefined when there was no object any more. */
  readonly digests: ReadonlyMap<string, string> | undefined;
}

/** What one Microservice uses. */
interface Interest {
  readonly key: ObjectKey;
  readonly uses: readonly { readonly source: Source; readonly keys: readonly string[] | undefined }[];
  /** What it was told last; undefined when that was not known yet. */
  told: Digests | undefined;
}

/** More objects than this are never asked for at once: passes need the API server too. */
const mostFetches = 16;
/** Between failed attempts. The cap is what a repaired right waits for at most. */
const betweenAttempts = { baseMs: 500, capMs: 30_000 };

/**
 * Digests of the content that Microservices use. An object that somebody refers to is read once for each of its versions,
 * and only the digests of its keys are kept; objects that nobody refers to are never read.
 */
export class Contents {
  readonly #options: ContentsOptions;
  /** By id of the Microservice. */
  readonly #interests = new Map<string, Interest>();
  /** By kind, namespace and name. */
  readonly #sources = new Map<string, Source>();
  /** Exactly the sources whose phase is `waiting`, and some that nobody refers to any more. */
  readonly #waiting: Source[] = [];
  #underWay = 0;
  #stopped = false;

  constructor(options: ContentsOptions) {
    this.#options = options;
  }

  /** How many objects are remembered because somebody refers to them. */
  get size(): number {
    return this.#sources.size;
  }

  /** See `Cluster.contents`. Of each Microservice only the references of the last call count. */
  contents(key: ObjectKey, refs: readonly ContentRef[]): Digests | undefined {
    const interest = this.#replaceInterest(key, refs);
    for (const { source } of interest.uses) this.#refresh(source);
    interest.told = this.#answer(interest);
    return interest.told;
  }

  /** The Microservice is gone: nothing that it used is of interest for its sake. */
  forget(microservice: ObjectKey): void {
    this.#replaceInterest(microservice, []);
  }

  /** The watch told of an object: it came, changed or went. */
  changed(kind: ContentKind, key: ObjectKey): void {
    const source = this.#sources.get(sourceId(kind, key));
    if (source === undefined) return;
    this.#refresh(source);
    this.#tell(source);
  }

  /** Nothing is fetched or told from now on. */
  stop(): void {
    this.#stopped = true;
    for (const { retry } of this.#sources.values()) clearTimeout(retry);
  }

  // --- who uses what ---

  #replaceInterest(key: ObjectKey, refs: readonly ContentRef[]): Interest {
    const { namespace, name } = key;
    const id = idOf(key);
    const uses = refs.map((ref) => ({
      source: this.#sourceOf(ref.kind, { namespace, name: ref.name }),
      keys: ref.keys,
    }));
    const sources = new Set(uses.map(({ source }) => source));
    for (const source of sources) source.users.add(id);
    for (const { source } of this.#interests.get(id)?.uses ?? []) {
      if (!sources.has(source)) this.#leave(source, id);
    }
    const interest: Interest = { key: { namespace, name }, uses, told: undefined };
    if (uses.length === 0) this.#interests.delete(id);
    else this.#interests.set(id, interest);
    return interest;
  }

  #sourceOf(kind: ContentKind, key: ObjectKey): Source {
    const id = sourceId(kind, key);
    const known = this.#sources.get(id);
    if (known !== undefined) return known;
    const source: Source = {
      id,
      kind,
      key,
      users: new Set(),
      phase: 'idle',
      known: undefined,
      failures: 0,
      retry: undefined,
    };
    this.#sources.set(id, source);
    return source;
  }

  #leave(source: Source, user: string): void {
    source.users.delete(user);
    this.#dropUnused(source);
  }

  /** One that is being fetched stays until the answer is there: who asks for it meanwhile does not fetch it twice. */
  #dropUnused(source: Source): void {
    if (source.users.size > 0 || source.phase === 'fetching') return;
    clearTimeout(source.retry);
    this.#sources.delete(source.id);
  }

  // --- what is known ---

  #answer({ uses }: Pick<Interest, 'uses'>): Digests | undefined {
    const digests: string[] = [];
    for (const { source, keys } of uses) {
      const digest = this.#digestOf(source, keys);
      if (digest === undefined) return undefined;
      digests.push(digest);
    }
    return digests;
  }

  #digestOf(source: Source, keys: readonly string[] | undefined): string | undefined {
    const current = this.#options.lookUp(source.kind, source.key);
    if (current === undefined) return absent;
    if (source.known === undefined || !covers(source.known, current)) {
      return source.failures === 0 ? undefined : unread;
    }
    return digestOfKeys(source.known.digests, keys);
  }

  /** Tells those who use an object, if that makes a difference to what they know. */
  #tell({ users }: Source): void {
    for (const id of users) {
      const interest = this.#interests.get(id);
      if (interest === undefined) continue;
      const digests = this.#answer(interest);
      if (digests === undefined || isSame(digests, interest.told)) continue;
      interest.told = digests;
      this.#options.onChange(interest.key);
    }
  }

  // --- fetching ---

  /** Sees to it that an object is fetched when it is not, or no longer, known. */
  #refresh(source: Source): void {
    if (this.#stopped || source.phase !== 'idle') return;
    const current = this.#options.lookUp(source.kind, source.key);
    if (current === undefined || (source.known !== undefined && covers(source.known, current))) return;
    source.phase = 'waiting';
    this.#waiting.push(source);
    this.#fetchNext();
  }

  #fetchNext(): void {
    while (this.#underWay < mostFetches && !this.#stopped) {
      const source = this.#waiting.shift();
      if (source === undefined) return;
      source.phase = 'idle';
      const asked = this.#options.lookUp(source.kind, source.key);
      if (source.users.size === 0 || asked === undefined) continue;
      this.#fetch(source, asked).catch((err: unknown) => {
        this.#options.log.error({ err, content: source.id }, 'a change of content could not be passed on');
      });
    }
  }

  async #fetch(source: Source, asked: ObjectMeta): Promise<void> {
    source.phase = 'fetching';
    this.#underWay += 1;
    try {
      const object = await this.#options.fetch({ kind: source.kind, ...source.key });
      source.known = this.#knownFrom(source, asked, object);
      source.failures = 0;
      source.phase = 'idle';
    } catch (error) {
      this.#putOff(source, error);
    } finally {
      this.#underWay -= 1;
    }
    this.#dropUnused(source);
    this.#refresh(source); // It may have changed once more.
    this.#fetchNext();
    if (!this.#stopped) this.#tell(source);
  }

  /** @throws Error when the answer is older than what the watch told: it says nothing about the object as it is. */
  #knownFrom(source: Source, asked: ObjectMeta, object: KubeObject | undefined): Known {
    if (object === undefined) return { asked, got: asked, digests: undefined };
    const got = versionOf(object.metadata);
    if (at(got) < at(asked)) throw new Error('the answer is older than what the watch told');
    const secretKey = source.kind === 'Secret' ? this.#options.secretKey() : undefined;
    return { asked: versionOf(asked), got, digests: digestsOf(object, source, secretKey) };
  }

  #putOff(source: Source, error: unknown): void {
    source.phase = 'putOff';
    source.failures += 1;
    if (this.#stopped) return;
    const askedToWait = error instanceof ClusterError ? (error.retryAfterMs ?? 0) : 0;
    const delay = Math.max(askedToWait, backoff(source.failures, betweenAttempts));
    const keys = { content: source.id, reason: reasonOf(error), retryInMs: Math.round(delay) };
    this.#options.log[source.failures === 1 ? 'warn' : 'debug'](keys, 'content not read, trying again');
    source.retry = setTimeout(() => {
      source.phase = 'idle';
      this.#refresh(source);
    }, delay);
  }
}

function sourceId(kind: ContentKind, key: ObjectKey): string {
  return `${kind} ${idOf(key)}`;
}

/** Only what tells versions apart: the rest of an object is not to be remembered. */
function versionOf({ namespace, name, uid, resourceVersion }: ObjectMeta): ObjectMeta {
  return {
    namespace,
    name,
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

function at({ resourceVersion }: ObjectMeta): bigint {
  return BigInt(resourceVersion ?? 0);
}

/**
 * Whether that version of an object is behind what was fetched. Not simply every older one: after a restore of the API
 * server's store versions begin anew at an earlier number.
 */
function covers({ asked, got }: Known, current: ObjectMeta): boolean {
  const isOneOfThem = current.uid === asked.uid || current.uid === got.uid;
  return isOneOfThem && at(asked) <= at(current) && at(current) <= at(got);
}

/** A digest for each key of an object. Bytes count, wherever an object keeps them. */
function digestsOf(
  object: KubeObject,
  { kind, key }: Pick<Source, 'kind' | 'key'>,
  secretKey: Buffer | undefined,
): Map<string, string> {
  const { data, binaryData } = object as {
    readonly data?: Readonly<Record<string, string>>;
    readonly binaryData?: Readonly<Record<string, string>>;
  };
  const dataIn = kind === 'Secret' ? 'base64' : 'utf8';
  const contents = [
    ...Object.entries(data ?? {}).map(([name, text]) => [name, Buffer.from(text, dataIn)] as const),
    ...Object.entries(binaryData ?? {}).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const),
  ];
  return new Map(contents.map(([name, bytes]) => [name, digestOf(bytes, secretKey, `${idOf(key)}/${name}`)]));
}

/**
 * The digest of a Secret's content depends on a key, so that nobody can find out by trying what it is, and on the place,
 * so that nobody sees that two places hold the same.
 */
function digestOf(bytes: Buffer, secretKey: Buffer | undefined, place: string): string {
  const hash =
    secretKey === undefined ? createHash('sha256') : createHmac('sha256', secretKey).update(place).update('\0');
  return short(hash.update(bytes).digest('hex'));
}

/** One digest for all keys in use. */
function digestOfKeys(digests: ReadonlyMap<string, string> | undefined, keys: readonly string[] | undefined): string {
  if (digests === undefined) return absent;
  const pairs = (keys ?? [...digests.keys()].sort()).map((key) => [key, digests.get(key)]);
  if (pairs.some(([, digest]) => digest === undefined)) return absent;
  return short(createHash('sha256').update(JSON.stringify(pairs)).digest('hex'));
}

/** 128 bits: no two contents meet by chance. */
function short(hex: string): string {
  return hex.slice(0, 32);
}

function isSame(digests: Digests, others: Digests | undefined): boolean {
  return others?.length === digests.length && digests.every((digest, index) => digest === others[index]);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
