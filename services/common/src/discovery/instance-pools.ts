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
  /** @throws UpstreamError as `exchange`; see {@link nothingWasSent} */
  readonly ask: (instance: Instance, outgoing: Undirected) => Promise<HttpAnswer>;
  readonly close: () => Promise<void>;
}

/** Longer than it takes most registries to notice, shorter than most restarts. */
const restMs = 5_000;

/** `connect` opens the connections to an origin. */
export function instancePools(connect: (origin: string) => Pool, balancing: Balancing): InstancePools {
  const there = new Map<string, Instance>();
  const closing = new Set<Promise<void>>();
  let turns = 0;

  const leave = ({ origin, pool }: Instance) => {
    there.delete(origin);
    const closed: Promise<void> = pool.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };
  return {
    size: () => there.size,
    replace: (origins) => {
      for (const instance of there.values()) if (!origins.has(instance.origin)) leave(instance);
      for (const origin of origins) {
        if (there.has(origin)) continue;
        there.set(origin, { origin, pool: connect(origin), underWay: 0, lastTurn: 0, restsUntil: 0 });
      }
    },
    next: (tried) => {
      const untried = [...there.values()].filter((instance) => !tried.has(instance));
      const now = performance.now();
      const rested = untried.filter(({ restsUntil }) => restsUntil <= now);
      return choose(rested.length > 0 ? rested : untried, balancing);
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
