/** The messages of etcd's JSON gateway: keys and values in base64, 64-bit numbers as text, zeros left out. */

export interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
}

export interface WatchMessage {
  readonly result?: {
    readonly header: { readonly revision: string };
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    /** Set when the watch asked for a revision that is gone. */
    readonly compact_revision?: string;
    /** More of the same revision follows. */
    readonly fragment?: boolean;
    readonly events?: readonly { readonly type?: 'PUT' | 'DELETE'; readonly kv: KeyValue }[];
  };
  readonly error?: GrpcStatus;
}

export interface GrpcStatus {
  readonly code?: number;
  readonly message?: string;
}

/** A key with its value; `revision` is that of its last change. */
export interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

export type EtcdChange =
  | { readonly type: 'put'; readonly entry: EtcdEntry }
  | { readonly type: 'delete'; readonly key: string; readonly revision: number };

export function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The keys that begin with `prefix`, as etcd wants them: from the prefix to the first key that sorts after them all. */
export function rangeOf(prefix: string) {
  const end = Buffer.from(prefix);
  const last = end.length - 1;
  // No byte of UTF-8 is 255, so adding one never carries. Without a prefix, a zero byte stands for the end of all keys.
  if (last < 0) return { key: 'AA==', range_end: 'AA==' };
  end[last] = (end[last] ?? 0) + 1;
  return { key: encoded(prefix), range_end: end.toString('base64') };
}

export function entryOf({ key, value = '', mod_revision }: KeyValue): EtcdEntry {
  return { key: decoded(key), value: decoded(value), revision: Number(mod_revision) };
}

export function changesOf({ events = [] }: NonNullable<WatchMessage['result']>): readonly EtcdChange[] {
  return events.map(({ type, kv }) => {
    const entry = entryOf(kv);
    return type === 'DELETE' ? { type: 'delete', key: entry.key, revision: entry.revision } : { type: 'put', entry };
  });
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
