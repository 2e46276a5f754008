import { errors, type Pool } from 'undici';
import type { Undirected } from '../calls/http-client.ts';
import { exchange, type HttpAnswer } from '../calls/http-exchange.ts';
import { UpstreamError } from '../calls/upstream-error.ts';
import { type Balancing, choose } from './balancer.ts';

/** An instance, as one client knows it. */
export interface Instance {
  readonly origin: string;
  readonly pool: Pool;
  underWay: number;
  lastTurn: number;
  /** It could not be connected to: asked again after this moment, or when there is no other. */
  restsUntil: number;
}

/** The instances that there are, each with its connections. */
export interface InstancePools {
  readonly size: () => number;
  /** From now on these are there, by their origins. One that left ends what it was asked; then its connections close. */
  readonly replace: (origins: ReadonlySet<string>) => void;
  /** Whose turn it is among those that were not tried. */
  readonly next: (tried: ReadonlySet<Instance>) => Instance | undefined;
  /**
   * One that left a moment ago and was not tried: for when all that are there refuse. A registry that comes back from an
   * outage may have lost those that live sooner than one that died.
   */
  readonly nextFormer: (tried: ReadonlySet<Instance>) => Instance | undefined;
  /** @throws UpstreamError as `exchange`; see {@link nothingWasSent} */
  readonly ask: (instance: Instance, outgoing: Undirected) => Promise<HttpAnswer>;
  readonly close: () => Promise<void>;
}

/** Longer than it takes most registries to notice, shorter than most restarts. */
const restMs = 5_000;

/** So long, and so many of them, those that left are remembered: longer than instances take to be registered anew. */
const formerMs = 30_000;
const maxFormer = 32;

/** `connect` opens the connections to an origin. */
export function instancePools(connect: (origin: string) => Pool, balancing: Balancing): InstancePools {
  const there = new Map<string, Instance>();
  const former = new Map<string, { readonly leftAt: number; again?: Instance }>();
  const closing = new Set<Promise<void>>();
  let turns = 0;

  const added = (origin: string): Instance => ({
    origin,
    pool: connect(origin),
    underWay: 0,
    lastTurn: 0,
    restsUntil: 0,
  });
  const close = ({ pool }: Instance) => {
    const closed: Promise<void> = pool.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };
  const forget = (origin: string) => {
    const again = former.get(origin)?.again;
    if (again !== undefined) close(again);
    former.delete(origin);
  };
  const leave = (instance: Instance) => {
    there.delete(instance.origin);
    close(instance);
    former.set(instance.origin, { leftAt: performance.now() });
    for (const origin of former.keys()) if (former.size > maxFormer) forget(origin);
  };
  return {
    size: () => there.size,
    replace: (origins) => {
      for (const instance of there.values()) if (!origins.has(instance.origin)) leave(instance);
      for (const origin of origins) {
        if (there.has(origin)) continue;
        forget(origin);
        there.set(origin, added(origin));
      }
    },
    next: (tried) => {
      const untried = [...there.values()].filter((instance) => !tried.has(instance));
      const now = performance.now();
      const rested = untried.filter(({ restsUntil }) => restsUntil <= now);
      return choose(rested.length > 0 ? rested : untried, balancing);
    },
    nextFormer: (tried) => {
      for (const [origin, { leftAt }] of former) if (performance.now() - leftAt > formerMs) forget(origin);
      const known = [...former].map(([origin, it]) => {
        it.again ??= added(origin);
        return it.again;
      });
      return known.findLast((instance) => !tried.has(instance));
    },
    ask: async (instance, { target, ...rest }) => {
      const { origin, pool } = instance;
      instance.lastTurn = ++turns;
      instance.underWay += 1;
      try {
        return await exchange(pool, { ...rest, target: { origin, ...target } });
      } catch (error) {
        if (nothingWasSent(error)) instance.restsUntil = performance.now() + restMs;
        throw error;
      } finally {
        instance.underWay -= 1;
      }
    },
    close: async () => {
      for (const instance of there.values()) leave(instance);
      for (const origin of former.keys()) forget(origin);
      await Promise.all(closing);
    },
  };
}

/** The connection failed: the instance got nothing of the request. */
export function nothingWasSent(error: unknown): boolean {
  return error instanceof UpstreamError && isConnectError(error.cause);
}

function isConnectError(error: unknown): boolean {
  if (error instanceof errors.ConnectTimeoutError) return true;
  // A host with several addresses: each has its own error.
  if (error instanceof AggregateError) return error.errors.every(isConnectError);
  return error instanceof Error && 'syscall' in error && ['connect', 'getaddrinfo'].includes(String(error.syscall));
}
