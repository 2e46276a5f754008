import type { Entry } from './entry.ts';
import type { Stream } from './stream.ts';

/** Lines of one stream that are sent together. */
export interface Batch {
  readonly stream: Stream;
  readonly entries: readonly Entry[];
}

export interface BacklogBounds {
  /** Bytes of all lines that wait. */
  readonly bytes: number;
  /** Bytes of the lines of one stream. */
  readonly streamBytes: number;
  /** Bytes of one batch. */
  readonly batchBytes: number;
}

interface Queue {
  readonly stream: Stream;
  readonly entries: Entry[];
  bytes: number;
  /** Entries at the front that are on their way. */
  underWay: number;
}

/** What an entry takes besides its text. */
const overhead = 300;
const sizeOf = ({ line }: Entry) => line.length + overhead;

/**
 * The lines that wait for Loki, in order within a stream. Whoever brings more than there is room for waits until there is
 * room: a node keeps a log in a file anyway.
 */
export class Backlog {
  readonly #bounds: BacklogBounds;
  /** By stream, in the order in which they get their turn. */
  readonly #queues = new Map<string, Queue>();
  #bytes = 0;
  /** Who waits for room, and who waits for lines. */
  readonly #forRoom = new Set<() => void>();
  readonly #forLines = new Set<() => void>();

  constructor(bounds: BacklogBounds) {
    this.#bounds = bounds;
  }

  /** Bytes of all lines that wait or are on their way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest line that waits was written; undefined when none does. */
  get oldest(): bigint | undefined {
    const times = [...this.#queues.values()].flatMap(({ entries }) => entries[0]?.time ?? []);
    return times.reduce<bigint | undefined>(
      (least, time) => (least === undefined || time < least ? time : least),
      undefined,
    );
  }

  /** Adds lines as soon as there is room; gives them up when `signal` says so. */
  async put(stream: Stream, entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    if (entries.length === 0) return;
    const key = JSON.stringify(stream);
    while (!this.#hasRoom(key)) {
      await told(this.#forRoom, signal);
      if (signal.aborted) return;
    }
    const queue = this.#queues.get(key) ?? { stream, entries: [], bytes: 0, underWay: 0 };
    this.#queues.set(key, queue);
    for (const entry of entries) {
      queue.entries.push(entry);
      queue.bytes += sizeOf(entry);
      this.#bytes += sizeOf(entry);
    }
    wake(this.#forLines);
  }

  /** The next lines to send, of the stream that had no turn for longest; undefined when none wait that may be sent. */
  take(): Batch | undefined {
    for (const [key, queue] of this.#queues) {
      // One batch at a time: the lines of a stream arrive in their order.
      if (queue.underWay > 0) continue;
      this.#queues.delete(key);
      this.#queues.set(key, queue);
      queue.underWay = fitting(queue.entries, this.#bounds.batchBytes);
      return { stream: queue.stream, entries: queue.entries.slice(0, queue.underWay) };
    }
    return undefined;
  }

  /** The lines of a batch are with Loki, or given up: they make room. */
  settle({ stream }: Batch): void {
    const key = JSON.stringify(stream);
    const queue = this.#queues.get(key);
    if (queue === undefined) return;
    const gone = queue.entries.splice(0, queue.underWay).reduce((sum, entry) => sum + sizeOf(entry), 0);
    queue.underWay = 0;
    queue.bytes -= gone;
    this.#bytes -= gone;
    if (queue.entries.length === 0) this.#queues.delete(key);
    else wake(this.#forLines);
    wake(this.#forRoom);
  }

  /** Resolves when lines have come, or are free to be sent, since now; or when `signal` says so. */
  lines(signal: AbortSignal): Promise<void> {
    return told(this.#forLines, signal);
  }

  #hasRoom(key: string): boolean {
    const mine = this.#queues.get(key)?.bytes ?? 0;
    return mine < this.#bounds.streamBytes && this.#bytes < this.#bounds.bytes;
  }
}

/** How many of the first entries have room in so many bytes; one in any case. */
function fitting(entries: readonly Entry[], most: number): number {
  let bytes = 0;
  const over = entries.findIndex((entry) => {
    bytes += sizeOf(entry);
    return bytes > most;
  });
  return over === -1 ? entries.length : Math.max(1, over);
}

/** Resolves when that set is woken, or `signal` says so. */
function told(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    waiting.delete(done);
    signal.removeEventListener('abort', done);
    resolve();
  };
  waiting.add(done);
  signal.addEventListener('abort', done);
  return promise;
}

function wake(waiting: Set<() => void>): void {
  for (const done of [...waiting]) done();
}
