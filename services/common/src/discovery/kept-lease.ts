import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../calls/backoff.ts';
import type { Etcd } from '../etcd/etcd.ts';
import { EtcdError } from '../etcd/etcd-error.ts';

export interface KeptLeaseOptions {
  readonly etcd: Pick<Etcd, 'grantLease' | 'keepLeaseAlive' | 'revokeLease'>;
  readonly seconds: number;
  /** Puts under the lease what is to live as long as it; again, with another lease, when the first was lost. */
  readonly attach: (leaseId: string) => Promise<void>;
  readonly onBeat: (outcome: 'kept' | 'renewed' | 'failed') => void;
  /** The reason, once, when heartbeats fail; undefined, once, when they succeed again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

export interface KeptLease {
  /** Runs `farewell` with the lease, then revokes it, and all that is under it. @throws Error when etcd fails; the lease runs out by itself then */
  readonly end: (farewell: (leaseId: string) => Promise<void>) => Promise<void>;
  /** No more heartbeats: the lease runs out by itself. */
  readonly abandon: () => Promise<void>;
}

/** gRPC's code. */
const notFound = 5;

/**
 * Takes a lease and keeps it alive, with a heartbeat at a third of its time, and sooner after one that failed: the lease
 * does not wait. One that was lost meanwhile is replaced.
 *
 * @throws Error when the first lease cannot be had; nothing stays behind then
 */
export async function keepLease({ etcd, seconds, attach, onBeat, onTrouble }: KeptLeaseOptions): Promise<KeptLease> {
  const take = async () => {
    const leaseId = await etcd.grantLease(seconds);
    await attach(leaseId).catch(async (error: unknown) => {
      await etcd.revokeLease(leaseId).catch(() => undefined); // it runs out anyway
      throw error;
    });
    return leaseId;
  };
  const stop = new AbortController();
  let leaseId = await take();

  const beat = async () => {
    if ((await etcd.keepLeaseAlive(leaseId)) > 0) return onBeat('kept');
    leaseId = await take();
    onBeat('renewed');
  };
  const beats = async () => {
    for (let failures = 0; ; ) {
      await sleep(pauseMs(seconds, failures), undefined, { signal: stop.signal }).catch(() => undefined);
      if (stop.signal.aborted) return;
      try {
        await beat();
        if (failures > 0) onTrouble(undefined);
        failures = 0;
      } catch (error) {
        failures += 1;
        onBeat('failed');
        if (failures === 1) onTrouble(error instanceof Error ? error.message : String(error));
      }
    }
  };
  const ended = beats();
  const abandon = async () => {
    stop.abort();
    await ended;
  };
  return {
    abandon,
    end: async (farewell) => {
      await abandon();
      await farewell(leaseId).catch((error: unknown) => {
        if (!isGone(error)) throw error;
      });
      await etcd.revokeLease(leaseId);
    },
  };
}

/** The lease is lost, and with it what was under it. */
function isGone(error: unknown): boolean {
  return error instanceof EtcdError && error.grpcCode === notFound;
}

/** Never in step with other replicas. */
function pauseMs(seconds: number, failures: number): number {
  const thirdMs = (seconds * 1000) / 3;
  return failures === 0 ? thirdMs * (0.8 + 0.2 * Math.random()) : Math.min(thirdMs, backoffMs(failures));
}
