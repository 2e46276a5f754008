import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { backoffMs } from '../calls/backoff.ts';

/** What can be listed and watched: keys of etcd, objects of Kubernetes. `Position` says from where on to watch. */
export interface MirrorSource<T, Position> {
  readonly list: () => Promise<{ readonly entries: ReadonlyMap<string, T>; readonly position: Position }>;
  /**
   * Changes after `position`, in order. Resolves once `signal` is aborted, or when what it holds must be listed anew;
   * rejects when it cannot go on.
   */
  readonly watch: (
    position: Position,
    onChange: (changes: readonly MirrorChange<T>[]) => void,
    signal: AbortSignal,
  ) => Promise<void>;
}

export type MirrorChange<T> =
  | { readonly type: 'put'; readonly key: string; readonly value: T }
  | { readonly type: 'delete'; readonly key: string };

export interface MirrorOptions {
  /** The keys whose values are others now than a moment ago; never empty. Not called for the first list. */
  readonly onChange?: (keys: readonly string[]) => void;
  /** The reason, once, when the source cannot be followed; undefined, once, when it can again. */
  readonly onTrouble?: (reason: string | undefined) => void;
  /** More entries than this count as trouble; the last contents stay. */
  readonly maxEntries?: number;
}

export interface Mirror<T> {
  /** The last known contents; empty until `ready`. */
  readonly entries: () => ReadonlyMap<string, T>;
  /** Resolves after the first list, however long that takes: whoever cannot wait bounds it. */
  readonly ready: Promise<void>;
  /** Why the contents may be old; undefined while they are not. */
  readonly trouble: () => string | undefined;
  readonly close: () => Promise<void>;
}

/** A watch that lasted this long was a success: the next failure starts with short waits again. */
const steadyMs = 10_000;

/**
 * Keeps a copy of what `source` holds: lists, watches, and when the watch ends lists again, for ever, with growing
 * pauses after failures. The last known contents stay meanwhile, and a list that shows nothing new is no change.
 * The source bounds its calls.
 */
export function mirror<T, Position>(source: MirrorSource<T, Position>, options: MirrorOptions = {}): Mirror<T> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const copy = contents<T>(options.maxEntries ?? 10_000);
  let trouble: string | undefined;
  let listed = false;

  const turnTo = (reason: string | undefined) => {
    const turned = (reason === undefined) !== (trouble === undefined);
    trouble = reason;
    if (turned) options.onTrouble?.(reason);
  };
  const tell = (changed: readonly string[]) => {
    if (changed.length > 0 && !stop.signal.aborted) options.onChange?.(changed);
  };
  const follow = async () => {
    const { entries, position } = await source.list();
    if (stop.signal.aborted) return;
    const changed = copy.replace(entries);
    turnTo(undefined);
    if (listed) tell(changed);
    listed = true;
    ready.resolve();
    await source.watch(position, (changes) => tell(copy.apply(changes)), stop.signal);
  };
  const run = async () => {
    for (let failures = 0; !stop.signal.aborted; ) {
      const start = performance.now();
      const failed = await follow().then(() => undefined, messageOf);
      if (stop.signal.aborted) return;
      if (failed !== undefined) turnTo(failed);
      const lasted = failed === undefined || performance.now() - start >= steadyMs;
      failures = lasted ? 1 : failures + 1;
      await sleep(backoffMs(failures), undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const ended = run();

  return {
    entries: copy.entries,
    ready: ready.promise,
    trouble: () => trouble,
    close: async () => {
      stop.abort();
      await ended;
    },
  };
}

/** The entries, and which of them change: what is set to the value that it has does not. */
function contents<T>(maxEntries: number) {
  let entries: ReadonlyMap<string, T> = new Map();
  const replace = (others: ReadonlyMap<string, T>, touched: Iterable<string>): readonly string[] => {
    if (others.size > maxEntries) throw new Error(`there are ${others.size} entries, more than ${maxEntries}`);
    const before = entries;
    entries = others;
    return [...new Set(touched)].filter((key) => !isDeepStrictEqual(before.get(key), others.get(key)));
  };
  return {
    entries: () => entries,
    replace: (others: ReadonlyMap<string, T>) => replace(others, [...entries.keys(), ...others.keys()]),
    apply: (changes: readonly MirrorChange<T>[]) => {
      const others = new Map(entries);
      for (const change of changes) {
        if (change.type === 'put') others.set(change.key, change.value);
        else others.delete(change.key);
      }
      return replace(
        others,
        changes.map(({ key }) => key),
      );
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
