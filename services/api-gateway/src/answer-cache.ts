import type { Answer } from './answer.ts';
import type { Lifetime } from './cache-words.ts';

export interface Kept {
  readonly answer: Answer;
  readonly lifetime: Lifetime;
  /** When it was asked for, on the clock of the cache, in milliseconds. */
  readonly at: number;
  /** The route that it is an answer of, as it was then. */
  readonly route: string;
  /** Path and query. */
  readonly target: string;
}

export interface Found {
  readonly answer: Answer;
  /** Whole seconds. */
  readonly age: number;
  readonly fresh: boolean;
}

export interface AnswerCache {
  /** What is kept under `key`, unless it is older than its whole lifetime. */
  readonly find: (key: string) => Found | undefined;
  /** Those used last are kept: others go for it. What is larger than all room together is not kept. */
  readonly keep: (key: string, kept: Kept) => void;
  readonly forget: (which: (kept: Kept) => boolean) => void;
  readonly size: () => { readonly entries: number; readonly bytes: number };
}

export interface Room {
  readonly entries: number;
  readonly bytes: number;
}

interface Entry extends Kept {
  readonly bytes: number;
}

/** What an entry costs besides its texts; rather too much. */
const overheadBytes = 500;

/** Answers, by whatever they depend on. */
export function answerCache(room: Room, now: () => number = () => performance.now()): AnswerCache {
  const entries = new Map<string, Entry>(); // the one used last is the last
  let bytes = 0;

  const drop = (key: string) => {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  const add = (key: string, entry: Entry) => {
    drop(key);
    entries.set(key, entry);
    bytes += entry.bytes;
  };

  return {
    find: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const age = (now() - entry.at) / 1000;
      const { fresh, stale } = entry.lifetime;
      if (age >= fresh + stale) {
        drop(key);
        return undefined;
      }
      add(key, entry);
      return { answer: entry.answer, age: Math.floor(age), fresh: age < fresh };
    },
    keep: (key, kept) => {
      drop(key);
      const entry = { ...kept, bytes: sizeOf(key, kept) };
      if (entry.bytes > room.bytes || kept.lifetime.fresh + kept.lifetime.stale <= 0) return;
      add(key, entry);
      for (const oldest of entries.keys()) {
        if (entries.size <= room.entries && bytes <= room.bytes) break;
        drop(oldest);
      }
    },
    forget: (which) => {
      for (const [key, entry] of entries) if (which(entry)) drop(key);
    },
    size: () => ({ entries: entries.size, bytes }),
  };
}

function sizeOf(key: string, { answer: { headers, body }, target }: Kept): number {
  const texts = [key, target, ...Object.entries(headers).flat()];
  return overheadBytes + Buffer.byteLength(body) + texts.reduce((sum, text) => sum + 2 * text.length, 0);
}
