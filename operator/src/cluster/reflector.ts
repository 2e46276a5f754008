import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../api/object.ts';
import { backoff } from '../support/backoff.ts';
import type { Log } from '../support/log.ts';
import { type ApiStatus, isExpired, refusalOf } from './answer.ts';
import { ClusterError } from './errors.ts';
import { LineSplitter } from './lines.ts';
import { list, type Resource, watch } from './resource.ts';
import type { Change, Store } from './store.ts';
import type { Transport } from './transport.ts';

export interface ReflectorOptions {
  readonly transport: Transport;
  readonly resource: Resource;
  /** Only objects of this namespace are seen. Default: those of all. */
  readonly namespace?: string | undefined;
  /** Only objects with these labels are seen. */
  readonly labelSelector?: string | undefined;
  /** What of an object is kept. */
  readonly trim: (object: KubeObject) => KubeObject;
  readonly store: Store;
  readonly log: Log;
  /** Told about every change, after the store has it. What it throws is logged and stops nothing. */
  readonly onChange: (change: Change) => void;
  /** Told each time a watch has to be opened again because of a failure. */
  readonly onRestart?: (reason: 'expired' | 'failed') => void;
  /** A watch on which nothing came for so long is taken for dead. The API server sends something every minute. */
  readonly inactivityMs?: number;
}

type WatchLine =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: KubeObject }
  | { readonly type: 'ERROR'; readonly object: ApiStatus };

/** Between failed attempts. The cap is what a repaired API server waits for its operator at most. */
const betweenAttempts = { baseMs: 200, capMs: 5_000 };
/** A watch that lasted this long was a good one: the next failure counts as the first. */
const goodWatchMs = 5_000;

/**
 * Keeps a store equal to the objects of one kind in the cluster: lists them, then follows the changes, for ever.
 * Whatever goes wrong, it waits a little and goes on where it was, or lists anew when that point is lost.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Where to go on watching; undefined when all has to be listed first. */
  #watchFrom: string | undefined;
  /** All changes up to this resourceVersion are in the store. */
  #seen = 0n;
  #lastActivityAt = performance.now();
  readonly #firstSync = Promise.withResolvers<void>();
  #lastComplaint = '';

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  /** Whether the store was filled and is kept up to date from there. */
  get synced(): boolean {
    return this.#watchFrom !== undefined;
  }

  /** Resolves when the store is filled for the first time. */
  get firstSync(): Promise<void> {
    return this.#firstSync.promise;
  }

  /** Milliseconds since anything happened here: an answer, an event, a failure. Grows without bound only when stuck. */
  get idleMs(): number {
    return performance.now() - this.#lastActivityAt;
  }

  /** Whether every change up to that resourceVersion is in the store. */
  hasSeen(resourceVersion: string): boolean {
    return this.#seen >= BigInt(resourceVersion);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the watch. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const start = performance.now();
      let failure: unknown;
      try {
        this.#watchFrom ??= await this.#list();
        await this.#watch(this.#watchFrom);
      } catch (error) {
        failure = error;
      }
      if (signal.aborted) return;
      this.#lastActivityAt = performance.now();
      const lasted = performance.now() - start;
      if (failure === undefined && lasted > goodWatchMs) {
        failures = 0;
        continue;
      }
      failures = lasted > goodWatchMs ? 1 : failures + 1;
      await this.#recover(failure ?? new Error('the watch ended as soon as it had begun'), failures);
    }
  }

  /** Fills the store. Gives the resourceVersion from which to watch. */
  async #list(): Promise<string> {
    const { transport, resource, namespace, labelSelector, trim, store, log } = this.#options;
    const objects: KubeObject[] = [];
    let page = await list(transport, resource, { namespace, labelSelector });
    const { resourceVersion } = page;
    objects.push(...page.items.map(trim));
    while (page.next !== undefined) {
      this.#lastActivityAt = performance.now();
      page = await list(transport, resource, { namespace, labelSelector, next: page.next });
      objects.push(...page.items.map(trim));
    }
    // The list is read from the API server's newest state, so it is right even where it says less than the watch did.
    this.#seen = BigInt(resourceVersion);
    for (const change of store.replace(objects)) this.#tell(change);
    this.#firstSync.resolve();
    this.#lastComplaint = '';
    log.info({ resource: resource.plural, namespace, objects: objects.length }, 'objects listed');
    return resourceVersion;
  }

  /** Follows the changes until the API server ends the watch; throws when it ends in any other way. */
  async #watch(resourceVersion: string): Promise<void> {
    const { transport, resource, namespace, labelSelector, inactivityMs = 90_000 } = this.#options;
    const chunks = await watch(transport, resource, {
      namespace,
      labelSelector,
      resourceVersion,
      timeoutSeconds: Math.round(300 + Math.random() * 300),
      inactivityMs,
      signal: this.#stopping.signal,
    });
    this.#lastComplaint = '';
    const lines = new LineSplitter();
    for await (const chunk of chunks) {
      this.#lastActivityAt = performance.now();
      for (const line of lines.push(chunk)) this.#receive(parse(line));
    }
  }

  #receive({ type, object }: WatchLine): void {
    const { resource, store, trim } = this.#options;
    if (type === 'ERROR') throw refusalOf(`watch ${resource.plural}`, object);
    const version = object.metadata.resourceVersion ?? '';
    if (BigInt(version) <= this.#seen) return; // Told before: memory never goes back in time.
    this.#seen = BigInt(version);
    this.#watchFrom = version;
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#tell(store.put(trim(object)));
        break;
      case 'DELETED':
        this.#tell(store.delete(object.metadata));
        break;
      case 'BOOKMARK':
        break;
    }
  }

  #tell(change: Change): void {
    try {
      this.#options.onChange(change);
    } catch (err) {
      const { log, resource } = this.#options;
      log.error({ err, resource: resource.plural }, 'a change could not be passed on');
    }
  }

  async #recover(error: unknown, failures: number): Promise<void> {
    const { onRestart } = this.#options;
    if (isExpired(error)) this.#watchFrom = undefined;
    onRestart?.(isExpired(error) ? 'expired' : 'failed');
    const askedToWait = error instanceof ClusterError ? (error.retryAfterMs ?? 0) : 0;
    const delay = Math.max(askedToWait, backoff(failures, betweenAttempts));
    this.#complain(error, delay);
    await sleep(delay, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  /** Warns once about the same trouble; repetitions are details. */
  #complain(error: unknown, delay: number): void {
    const { log, resource, namespace } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    const level = reason === this.#lastComplaint ? 'debug' : 'warn';
    this.#lastComplaint = reason;
    log[level](
      { resource: resource.plural, namespace, reason, retryInMs: Math.round(delay), remedy: remedyOf(error, resource) },
      'watch interrupted, trying again',
    );
  }
}

/** The words of the JSON parser are left out: they quote the line, and so whatever secret may be in it. */
function parse(line: string): WatchLine {
  try {
    return JSON.parse(line) as WatchLine;
  } catch {
    throw new Error(`a line of ${line.length} characters in the watch is not JSON`);
  }
}

/** What somebody can do about it, where that is known. */
function remedyOf(error: unknown, { plural, apiVersion }: Resource): string | undefined {
  if (!(error instanceof ClusterError)) return undefined;
  if (error.kind === 'denied') return `give the operator's ServiceAccount the verbs list and watch on ${plural}`;
  if (error.kind === 'gone' && !isExpired(error)) return `install ${plural} of ${apiVersion} in the cluster`;
  return undefined;
}
