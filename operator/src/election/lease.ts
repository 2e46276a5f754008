import type { KubeObject, ObjectKey } from '../api/object.ts';
import { onVersionOf } from '../cluster/merge-patch.ts';
import { leases } from '../cluster/resource.ts';
import { microTime } from '../support/micro-time.ts';

/** How long the parts of an election take. */
export interface Timing {
  /** A holder that did not renew for so long has lost it: others wait that long. */
  readonly durationMs: number;
  /** A leader that could not renew for so long stops by itself. Shorter, so that what it sent last is over before others begin. */
  readonly renewDeadlineMs: number;
  /** Between two renewals, and between two looks of a follower. */
  readonly retryMs: number;
}

/** As client-go has it. */
export const usualTiming: Timing = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/** What a Lease says, as far as it counts here. */
export interface LeaseRecord {
  /** Empty once it was given back. */
  readonly holder: string;
  readonly durationMs: number;
  readonly transitions: number;
}

/** A Lease as it was found, or that there is none; the same as long as nobody changed it. */
export interface Sighting {
  readonly lease: KubeObject | undefined;
  /** When it was first seen like this, on the clock of this process: clocks of others do not count. */
  readonly since: number;
  /** Who held it when it was last held: it may have been deleted while its holder still works. */
  readonly holder: string;
  readonly durationMs: number;
  /** Whether the holder got there by its own doing, as far as can be told: nobody wrote its name over that of another. */
  readonly trusted: boolean;
}

/** @throws TypeError for an object that is no Lease */
export function recordOf({ spec }: KubeObject, { durationMs }: Timing): LeaseRecord {
  const { holderIdentity, leaseDurationSeconds, leaseTransitions } = (spec ?? {}) as {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly leaseTransitions?: number | null;
  };
  return {
    holder: holderIdentity ?? '',
    durationMs: leaseDurationSeconds == null ? durationMs : leaseDurationSeconds * 1000,
    transitions: leaseTransitions ?? 0,
  };
}

/** What is known after another look. */
export function seen(
  before: Sighting | undefined,
  lease: KubeObject | undefined,
  now: number,
  timing: Timing,
): Sighting {
  const version = lease?.metadata.resourceVersion;
  if (before !== undefined && before.lease?.metadata.resourceVersion === version) return before;
  if (lease === undefined) {
    const { holder = '', durationMs = timing.durationMs, trusted = true } = before ?? {};
    return { lease, since: now, holder, durationMs, trusted };
  }
  const { holder, durationMs } = recordOf(lease, timing);
  const trusted = before === undefined || before.holder === '' || (before.holder === holder && before.trusted);
  return { lease, since: now, holder, durationMs, trusted };
}

/**
 * Milliseconds until `identity` may take the lease; 0 when it may at once: nobody holds it, or it is its own from before
 * a restart, or its holder has not been heard of for the whole duration.
 */
export function waitMs({ holder, since, durationMs, trusted }: Sighting, identity: string, now: number): number {
  if (holder === '' || (holder === identity && trusted)) return 0;
  return Math.max(0, since + durationMs - now);
}

/** The Lease of a new holder, where there is none. */
export function newLease(key: ObjectKey, identity: string, now: Date, timing: Timing): KubeObject {
  const { apiVersion, kind } = leases;
  return { apiVersion, kind, metadata: { ...key }, spec: held(identity, now, timing, 1) };
}

/** The merge patch by which `identity` takes a Lease from whoever had it, in exactly that version. */
export function taking(lease: KubeObject, identity: string, now: Date, timing: Timing): object {
  const { holder, transitions } = recordOf(lease, timing);
  const spec = held(identity, now, timing, holder === identity ? transitions : transitions + 1);
  return onVersionOf(lease, { spec });
}

/** The merge patch by which its holder keeps it. */
export function renewing(lease: KubeObject, now: Date): object {
  return onVersionOf(lease, { spec: { renewTime: microTime(now) } });
}

/** The merge patch by which its holder gives it back. */
export function releasing(lease: KubeObject, now: Date): object {
  return onVersionOf(lease, { spec: { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) } });
}

function held(holderIdentity: string, now: Date, { durationMs }: Timing, leaseTransitions: number): object {
  return {
    holderIdentity,
    leaseDurationSeconds: Math.round(durationMs / 1000),
    leaseTransitions,
    acquireTime: microTime(now),
    renewTime: microTime(now),
  };
}
