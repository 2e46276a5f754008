import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { managedBy, managedByLabel } from '../api/labels.ts';
import type { KubeObject, ObjectKey } from '../api/object.ts';
import { backoff } from '../support/backoff.ts';
import type { Log } from '../support/log.ts';
import { ClusterError } from './errors.ts';
import * as api from './resource.ts';
import { idOf } from './store.ts';
import type { Transport } from './transport.ts';

export interface ContentKeyOptions {
  readonly transport: Transport;
  /** The Secret that holds it. */
  readonly secret: ObjectKey;
  readonly log: Pick<Log, 'debug' | 'info' | 'warn'>;
}

const keyBytes = 32;
/** The key of the Secret under which it is. */
const field = 'key';
const betweenAttempts = { baseMs: 200, capMs: 5_000 };

/**
 * The key on which digests of Secrets depend. The first operator that starts makes it and keeps it in a Secret of its
 * namespace; all later ones read it there, so that digests stay the same. Nothing of it is ever logged.
 */
export class ContentKey {
  readonly #options: ContentKeyOptions;
  readonly #stopping = new AbortController();
  readonly #found = Promise.withResolvers<void>();
  #bytes: Buffer | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ContentKeyOptions) {
    this.#options = options;
  }

  /** @throws Error while it is not known */
  get bytes(): Buffer {
    if (this.#bytes === undefined) throw new Error('the key of the digests of Secrets is not known yet');
    return this.#bytes;
  }

  get isKnown(): boolean {
    return this.#bytes !== undefined;
  }

  /** Resolves when it is known. */
  get found(): Promise<void> {
    return this.#found.promise;
  }

  /** Tries until it is known. */
  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        this.#bytes = await this.#getOrCreate();
        this.#found.resolve();
        return;
      } catch (error) {
        await this.#wait(error, failures);
      }
    }
  }

  async #getOrCreate(): Promise<Buffer> {
    const { transport, secret, log } = this.#options;
    const found = await this.#read();
    if (found !== undefined) return found;
    const bytes = randomBytes(keyBytes);
    try {
      await api.post(transport, secretOf(secret, bytes));
      log.info({ secret: idOf(secret) }, 'key of the digests of Secrets made');
      return bytes;
    } catch (error) {
      if (!(error instanceof ClusterError) || error.kind !== 'exists') throw error;
    }
    const theirs = await this.#read(); // Somebody else was faster: theirs counts.
    if (theirs === undefined) throw new Error(`Secret ${idOf(secret)} was there, and is gone again`);
    return theirs;
  }

  /** @throws Error when the Secret holds something else */
  async #read(): Promise<Buffer | undefined> {
    const { transport, secret } = this.#options;
    try {
      const object = await api.get(transport, { kind: api.secrets.kind, ...secret });
      const { [field]: text = '' } = (object.data ?? {}) as Readonly<Record<string, string>>;
      const bytes = Buffer.from(text, 'base64');
      if (bytes.length === keyBytes) return bytes;
    } catch (error) {
      if (error instanceof ClusterError && error.kind === 'gone') return undefined;
      throw error;
    }
    throw new Error(`Secret ${idOf(secret)} holds no ${keyBytes} bytes under ${field}: delete it, and another is made`);
  }

  async #wait(error: unknown, failures: number): Promise<void> {
    const { log } = this.#options;
    const askedToWait = error instanceof ClusterError ? (error.retryAfterMs ?? 0) : 0;
    const delay = Math.max(askedToWait, backoff(failures, betweenAttempts));
    const reason = error instanceof Error ? error.message : String(error);
    const keys = { reason, retryInMs: Math.round(delay) };
    log[failures === 1 ? 'warn' : 'debug'](keys, 'key of the digests of Secrets not known, trying again');
    await sleep(delay, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}

/** Nobody has a reason to change it: another key would be other digests, and other pods everywhere. */
function secretOf({ namespace, name }: ObjectKey, bytes: Buffer): KubeObject {
  const { apiVersion, kind } = api.secrets;
  const secret = {
    apiVersion,
    kind,
    metadata: { namespace, name, labels: { [managedByLabel]: managedBy } },
    type: 'Opaque',
    immutable: true,
    data: { [field]: bytes.toString('base64') },
  };
  return secret;
}
