import type { ObjectKey } from '../api/object.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Next, settled } from './next.ts';

/** What one pass needs of the world. `clock` is the only source of time; `log` takes what was done, with keys. */
export interface Deps {
  readonly cluster: Cluster;
  readonly clock: { now(): Date };
  readonly log?: Log;
}

/** The part of a logger that the core uses: keys first, then a constant message in lower case. */
export interface Log {
  info(keys: Readonly<Record<string, unknown>>, message: string): void;
  warn(keys: Readonly<Record<string, unknown>>, message: string): void;
}

/**
 * Brings the cluster one step closer to what a Microservice asks for.
 * Safe to call at any time and as often as you like: it reads the whole state,
 * decides from that alone, and remembers nothing.
 * Throws `ClusterError` (`unavailable`, `conflict`) when the same pass is worth trying again soon.
 */
export async function reconcile(key: ObjectKey, { cluster }: Deps): Promise<Next> {
  if (cluster.microservice(key) === undefined) return settled;
  return settled;
}
