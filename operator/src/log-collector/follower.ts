import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from '../cluster/errors.ts';
import type { LogOptions } from '../cluster/resource.ts';
import { backoff } from '../support/backoff.ts';
import type { Log } from '../support/log.ts';
import { type Entry, entryOf } from './entry.ts';
import type { Instance } from './instance.ts';
import { type Line, LineCutter } from './line-cutter.ts';
import { Position } from './position.ts';

export interface FollowerOptions {
  /** For people: namespace/pod/container. */
  readonly name: string;
  /** Lines from before are not read. */
  readonly since: Date;
  /** How far an earlier collector came, as far as somebody knows. */
  readonly resume: (signal: AbortSignal) => Promise<Position>;
  readonly open: (options: LogOptions) => Promise<AsyncIterable<Buffer>>;
  /** Takes lines, in their order; comes back when there is room for more. */
  readonly put: (entries: readonly Entry[], signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly onOpen: () => void;
  readonly onClose: () => void;
  /** Told of what is no line of a container: what the node says in place of one. */
  readonly onStranger: () => void;
  /** Told of a run of which something was not read, because its log is gone. */
  readonly onMissed: () => void;
}

/** A log in which nothing was written for so long is opened again: the connection may be dead without anybody saying so. */
const quietMs = 300_000;
/** The status of a pod comes a little after the end of its container. */
const statusMs = 5_000;
const betweenAttempts = { baseMs: 200, capMs: 15_000 };
/** What a pod leaves behind is read for at most so long. */
const goneMs = 600_000;

/**
 * Reads the log of one container of one pod, all its runs, in their order. After a fault it goes on where it was. A run is
 * done when it was read once more after its end, and again when it has become the one before: the node begins the next run
 * a little before the status of the pod says so, and what was read as the log of now may have been that of the next.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #instances: readonly Instance[] = [];
  /** How far each run was read. */
  readonly #read = new Map<string, Position>();
  /** How far the log was read before there was this follower. */
  #resumed = new Position();
  /** The runs that were read to their end, and whether as the one before. */
  readonly #done = new Map<string, boolean>();
  #gone = false;
  #news = Promise.withResolvers<void>();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    this.#running = this.#run();
    return this.#running;
  }

  /** The runs of the container that its node has. */
  update(instances: readonly Instance[]): void {
    this.#instances = instances;
    const known = new Set(instances.map(({ id }) => id));
    for (const id of [...this.#done.keys(), ...this.#read.keys()]) {
      if (known.has(id)) continue;
      this.#done.delete(id);
      this.#read.delete(id);
    }
    this.#tell();
  }

  /** The pod is gone: what is open is read to its end, and nothing is opened any more. */
  finish(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#tell();
    const late = setTimeout(() => this.#stopping.abort(), goneMs);
    late.unref();
    void this.#running.finally(() => clearTimeout(late));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#tell();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    this.#resumed = await this.#options.resume(signal);
    while (!signal.aborted && !this.#gone) {
      const instance = this.#instances.find((each) => !this.#isDone(each));
      if (instance === undefined) {
        await this.#news.promise;
        continue;
      }
      const news = this.#news.promise;
      try {
        await this.#readRun(instance);
        failures = 0;
        if (instance.endedAt !== undefined) this.#done.set(instance.id, instance.previous);
        else await within(news, statusMs);
      } catch (error) {
        if (signal.aborted) return;
        if (isQuiet(error)) continue;
        failures += 1;
        await this.#recover(instance, error, failures, news);
      }
    }
  }

  #isDone({ id, previous }: Instance): boolean {
    const asPrevious = this.#done.get(id);
    return asPrevious !== undefined && (asPrevious || !previous);
  }

  async #readRun(instance: Instance): Promise<void> {
    const { open, onOpen, onClose, since } = this.#options;
    const { signal } = this.#stopping;
    const read = this.#positionOf(instance);
    const chunks = await open({
      container: instance.container,
      previous: instance.previous,
      follow: instance.endedAt === undefined,
      since: read.from === undefined || read.from < since ? since : read.from,
      inactivityMs: quietMs,
      signal,
    });
    onOpen();
    try {
      const again = read.recent;
      const cutter = new LineCutter();
      for await (const chunk of chunks) await this.#take(instance, [...cutter.push(chunk)], again);
      const last = cutter.end();
      if (last !== undefined) await this.#take(instance, [last], again);
    } finally {
      onClose();
    }
  }

  async #take({ id }: Instance, lines: readonly Line[], again: ReadonlySet<bigint>): Promise<void> {
    const { put, onStranger } = this.#options;
    const entries: Entry[] = [];
    for (const line of lines) {
      const entry = entryOf(line);
      if (entry === undefined) onStranger();
      else if (entry.line !== '' && !again.has(entry.time)) entries.push(entry);
    }
    await put(entries, this.#stopping.signal);
    if (this.#stopping.signal.aborted) return;
    const position = this.#read.get(id) ?? new Position();
    this.#read.set(id, position);
    for (const { time } of entries) position.pass(time);
  }

  #positionOf({ id, endedAt }: Instance): Position {
    const read = this.#read.get(id);
    if (read?.from === undefined) return this.#resumed;
    // A line after the end of a run is from the next one, which had begun when this one was asked for.
    const another = endedAt !== undefined && read.from.getTime() > endedAt.getTime() + 1_000;
    return another ? this.#resumed : read;
  }

  async #recover(instance: Instance, error: unknown, failures: number, news: Promise<void>): Promise<void> {
    const { log, name, onMissed } = this.#options;
    const kind = error instanceof ClusterError ? error.kind : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    // The node has thrown the log of that run away, or the pod with it.
    const isLost = kind === 'gone' || (kind === 'invalid' && instance.endedAt !== undefined);
    if (isLost) {
      if (!this.#done.has(instance.id)) onMissed();
      this.#done.set(instance.id, instance.previous);
      log.debug({ container: name, reason }, 'the log of a run is gone');
      return;
    }
    const asked = error instanceof ClusterError ? (error.retryAfterMs ?? 0) : 0;
    const ms = Math.max(asked, backoff(failures, betweenAttempts));
    // Once in a while is enough: a node that is away is told of by Kubernetes.
    log[failures === 5 ? 'warn' : 'debug']({ container: name, reason, retryInMs: Math.round(ms) }, 'log not readable');
    // A container that has not begun yet may have by the next news of its pod; a node that is away is not back by them.
    if (kind === 'invalid') await within(news, ms);
    else await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

/** Whether a log ended only because nothing was written. */
function isQuiet(error: unknown): boolean {
  const { code } = ((error instanceof ClusterError ? error.cause : undefined) ?? {}) as { readonly code?: unknown };
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
}

async function within(what: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([what, sleep(ms, undefined, { signal: over.signal, ref: false }).catch(() => undefined)]);
  over.abort();
}
