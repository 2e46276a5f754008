import { errors } from 'undici';
import { etcdEndpoints } from './etcd-endpoints.ts';
import { EtcdCompacted, EtcdError } from './etcd-error.ts';
import {
  changesOf,
  type EtcdChange,
  type EtcdEntry,
  encoded,
  entryOf,
  type KeyValue,
  rangeOf,
  type WatchMessage,
} from './etcd-messages.ts';
import { jsonLines } from './json-lines.ts';

export type { EtcdChange, EtcdEntry } from './etcd-messages.ts';

export interface Etcd {
  /** Every entry whose key begins with `prefix`, and the store's revision at that moment. */
  readonly list: (prefix: string) => Promise<{ readonly entries: readonly EtcdEntry[]; readonly revision: number }>;
  readonly get: (key: string) => Promise<EtcdEntry | undefined>;
  /** With a lease, the entry goes when the lease does. @throws EtcdError with code 5 when that lease is gone already */
  readonly put: (key: string, value: string, options?: { readonly leaseId?: string }) => Promise<void>;
  readonly delete: (key: string) => Promise<void>;
  /**
   * Changes below `prefix` after `revision`, in order and none left out. Resolves once `signal` is aborted or the
   * client closed; rejects when the watch ends or breaks, with EtcdCompacted when that revision is gone.
   * A connection that died silently is noticed: one that says nothing for `idleMs` is replaced by another. A member
   * that lost the others ends its watches.
   */
  readonly watch: (
    prefix: string,
    revision: number,
    onChange: (changes: readonly EtcdChange[]) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly grantLease: (ttlSeconds: number) => Promise<string>;
  /** The seconds that the lease has again; 0 when it is gone. */
  readonly keepLeaseAlive: (leaseId: string) => Promise<number>;
  /** Ends the lease, and all entries with it; one that is gone already is no error. */
  readonly revokeLease: (leaseId: string) => Promise<void>;
  /** Ends the watches; calls that are under way fail. */
  readonly close: () => Promise<void>;
}

export interface EtcdOptions {
  /** `http://host:2379`, at least one; all members of one etcd. */
  readonly endpoints: readonly string[];
  /** For each endpoint that is asked. */
  readonly timeoutMs?: number;
  readonly idleMs?: number;
}

/** A watch message: etcd cuts what is more than its limit for a request, 1.5 MiB, which base64 makes a third more. */
const maxLineBytes = 4 * 1024 * 1024;
/** gRPC's code. */
const notFound = 5;

/**
 * A client of etcd's v3 API, by its JSON gateway. Every call is bounded and rejects with an EtcdError; nothing is
 * retried but on another endpoint. Without user and password: access is limited by the network.
 */
export function etcd({ endpoints, timeoutMs = 2_000, idleMs = 10_000 }: EtcdOptions): Etcd {
  const { call, stream, close } = etcdEndpoints(endpoints, timeoutMs);
  const closing = new AbortController();

  /** The revision up to which all changes were told, when nothing came for `idleMs`. */
  const watchUntilIdle = async (
    prefix: string,
    from: number,
    tell: Parameters<Etcd['watch']>[2],
    signal: AbortSignal,
  ) => {
    const create_request = { ...rangeOf(prefix), start_revision: from + 1, fragment: true };
    let told = from;
    try {
      const body = await stream('/v3/watch', { create_request }, { idleMs, signal });
      for await (const message of jsonLines(body, maxLineBytes)) {
        const changes = changesIn(message as WatchMessage, told);
        if (changes.length > 0) tell(changes);
        told = revisionAfter(message as WatchMessage, told);
      }
    } catch (error) {
      if (error instanceof errors.BodyTimeoutError) return told;
      throw error;
    }
    throw new EtcdError('etcd ended the watch');
  };

  return {
    list: async (prefix) => {
      const { header, kvs = [] } = await call<RangeAnswer>('/v3/kv/range', rangeOf(prefix));
      return { entries: kvs.map(entryOf), revision: Number(header.revision) };
    },
    get: async (key) => {
      const { kvs = [] } = await call<RangeAnswer>('/v3/kv/range', { key: encoded(key) });
      return kvs.map(entryOf)[0];
    },
    put: async (key, value, { leaseId } = {}) => {
      await call('/v3/kv/put', { key: encoded(key), value: encoded(value), ...(leaseId ? { lease: leaseId } : {}) });
    },
    delete: async (key) => {
      await call('/v3/kv/deleterange', { key: encoded(key) });
    },
    watch: async (prefix, revision, onChange, signal) => {
      const ended = AbortSignal.any([signal, closing.signal]);
      try {
        for (let told = revision; !ended.aborted; ) told = await watchUntilIdle(prefix, told, onChange, ended);
      } catch (error) {
        if (!ended.aborted) throw asEtcdError(error);
      }
    },
    grantLease: async (ttlSeconds) => {
      const { ID } = await call<{ readonly ID: string }>('/v3/lease/grant', { TTL: ttlSeconds });
      return ID;
    },
    keepLeaseAlive: async (leaseId) => {
      const { result } = await call<KeptAlive>('/v3/lease/keepalive', { ID: leaseId });
      return Number(result.TTL ?? 0);
    },
    revokeLease: async (leaseId) => {
      await call('/v3/lease/revoke', { ID: leaseId }).catch((error: unknown) => {
        if (!(error instanceof EtcdError && error.grpcCode === notFound)) throw error;
      });
    },
    close: async () => {
      closing.abort();
      await close();
    },
  };
}

interface RangeAnswer {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly KeyValue[];
}

interface KeptAlive {
  readonly result: { readonly TTL?: string };
}

/** @throws EtcdCompacted, or EtcdError when the message says that the watch is over */
function changesIn({ result, error }: WatchMessage, told: number): readonly EtcdChange[] {
  if (error !== undefined) throw new EtcdError(error.message ?? 'etcd ended the watch', { grpcCode: error.code });
  if (result?.compact_revision !== undefined) throw new EtcdCompacted(told, result.compact_revision);
  if (result?.canceled) throw new EtcdError(`etcd ended the watch: ${result.cancel_reason ?? 'it gives no reason'}`);
  return result === undefined ? [] : changesOf(result);
}

function asEtcdError(error: unknown): EtcdError {
  if (error instanceof EtcdError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new EtcdError(`the watch of etcd broke: ${reason}`, { cause: error });
}

/** A fragment does not count: what is missing of its revision would be left out by a watch that begins after it. */
function revisionAfter({ result }: WatchMessage, told: number): number {
  const last = result?.events?.at(-1);
  return last === undefined || result?.fragment ? told : Number(last.kv.mod_revision);
}
