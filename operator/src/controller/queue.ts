import { Deadlines } from './deadlines.ts';

/** Told about what goes through a queue, for metrics. */
export interface QueueObserver {
  added(): void;
  taken(waitedMs: number): void;
}

/** The longest delay that a timer of Node can have. */
const longestTimerMs = 2 ** 31 - 1;

/** So many keys with news may be taken while one without any waits. */
const newsInARow = 8;

/**
 * Keys that need work. A key is here at most once however often it is added, and is in the hands of at most one
 * worker: what is added while its key is in hand comes up again once the worker is done.
 */
export class WorkQueue {
  /** Ready to be taken, in order of arrival, with the time of arrival. Holds no key that is in hand. */
  readonly #ready = new Map<string, number>();
  /** The same, for keys of which nothing new is known: they let the others go first. No key is in both. */
  readonly #behind = new Map<string, number>();
  /** How many keys were taken ahead of those that are behind. */
  #ahead = 0;
  /** Taken and not done yet. */
  readonly #inHand = new Set<string>();
  /** Added while in hand, with the time of that; each of these is in hand. */
  readonly #again = new Map<string, number>();
  /** To be added later. */
  readonly #later = new Deadlines();
  /** Failures in a row of each key that failed last time. */
  readonly #failures = new Map<string, number>();
  /** Workers that wait for a key; only while nothing is ready. */
  readonly #idle: ((key: string | undefined) => void)[] = [];
  readonly #observer: QueueObserver | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #paused = false;
  #closed = false;

  constructor(observer?: QueueObserver) {
    this.#observer = observer;
  }

  /** Keys that wait for a worker now; those in hand and those put off are not counted. */
  get depth(): number {
    return this.#ready.size + this.#behind.size + this.#again.size;
  }

  /** Keys that are put off. */
  get delayed(): number {
    return this.#later.size;
  }

  /** Asks for work on a key, now. */
  add(key: string): void {
    if (this.#closed || this.#paused) return;
    const waiting = this.#inHand.has(key) ? this.#again : this.#ready;
    if (waiting.has(key)) return;
    const since = this.#behind.get(key) ?? performance.now();
    if (!this.#behind.delete(key)) this.#observer?.added();
    waiting.set(key, since);
    this.#serve();
  }

  /** Asks for work on a key of which nothing new is known, when there is time: soon, even while news never end. */
  addBehind(key: string): void {
    if (this.#closed || this.#paused || this.#ready.has(key) || this.#behind.has(key)) return;
    if (this.#inHand.has(key)) {
      this.add(key);
      return;
    }
    this.#behind.set(key, performance.now());
    this.#observer?.added();
    this.#serve();
  }

  /** Forgets every key but those in hand, and takes no other until `resume`. */
  pause(): void {
    this.#paused = true;
    for (const keys of [this.#ready, this.#behind, this.#again, this.#failures]) keys.clear();
    this.#later.clear();
  }

  /** Goes on after `pause`, with work on all these keys: nobody knows what changed meanwhile. */
  resume(keys: Iterable<string>): void {
    this.#paused = false;
    for (const key of keys) this.addBehind(key);
  }

  /** Asks for work on a key in `ms` milliseconds. Void once the key is taken before that: whoever takes it decides anew. */
  addAfter(key: string, ms: number): void {
    if (this.#closed || this.#paused) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    this.#later.set(key, performance.now() + ms);
    this.#arm();
  }

  /** The next key, as soon as there is one; undefined once the queue is closed. To be given back by `done`. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#idle.push(resolve);
    this.#serve();
    return promise;
  }

  /** Gives a taken key back; what was added for it meanwhile gets ready. */
  done(key: string): void {
    this.#inHand.delete(key);
    const since = this.#again.get(key);
    if (since === undefined) return;
    this.#again.delete(key);
    this.#ready.set(key, since);
    this.#serve();
  }

  /** Counts a failure of a key; gives how many there were in a row. */
  failed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    return failures;
  }

  /** The key did well: its failures no longer count. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** No key is given out or taken in any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const resolve of this.#idle.splice(0)) resolve(undefined);
  }

  /** Hands ready keys to idle workers. */
  #serve(): void {
    while (!this.#closed && this.#idle.length > 0) {
      const waiting = this.#next();
      const first = waiting.entries().next().value;
      if (first === undefined) return;
      const [key, since] = first;
      waiting.delete(key);
      this.#ahead = waiting === this.#ready ? this.#ahead + 1 : 0;
      this.#give(key, since);
    }
  }

  /** Where the next key is to be taken from. */
  #next(): Map<string, number> {
    if (this.#behind.size === 0) this.#ahead = 0;
    const turnOfBehind = this.#ready.size === 0 || this.#ahead >= newsInARow;
    return this.#behind.size > 0 && turnOfBehind ? this.#behind : this.#ready;
  }

  #give(key: string, since: number): void {
    this.#later.forget(key);
    this.#inHand.add(key);
    this.#observer?.taken(performance.now() - since);
    this.#idle.shift()?.(key);
  }

  /** Has the one timer ring when the earliest of the delayed keys is due. */
  #arm(): void {
    const at = this.#later.earliest;
    if (at === undefined || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const ms = Math.min(longestTimerMs, Math.max(1, Math.ceil(at - performance.now())));
    this.#timer = setTimeout(() => this.#ring(), ms);
  }

  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    for (const key of this.#later.takeDue(performance.now())) this.add(key);
    this.#arm();
  }
}
