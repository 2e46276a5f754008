import { isDeepStrictEqual } from 'node:util';
import type { HttpClient } from '@microservice-platform/common';
import type { GrpcClient } from '@microservice-platform/common/grpc';
import type { Backend, GrpcBackend } from './schema.ts';
import type { RouteTable } from './table.ts';

/** Routes that are or were in force, with the clients of their backends; what a request began with it ends with. */
export interface Generation {
  readonly number: number;
  readonly table: RouteTable;
  readonly client: (backend: string) => HttpClient;
  readonly grpcClient: (backend: string) => GrpcClient;
}

export interface RoutesInForce {
  readonly current: () => Generation;
  /** Requests that begin from now on take these routes. Backends that are as before keep their connections. */
  readonly replace: (table: RouteTable) => void;
  /** The generation in force, whose clients stay open until `leave` is called; it may be called twice. */
  readonly enter: () => { readonly generation: Generation; readonly leave: () => void };
  readonly close: () => Promise<void>;
}

/** How the clients of backends are made. */
export interface Connect {
  readonly http: (name: string, backend: Backend) => HttpClient;
  readonly grpc: (name: string, backend: GrpcBackend) => GrpcClient;
}

/** A client, and how many generations have it. */
interface Shared<B, C> {
  readonly backend: B;
  readonly client: C;
  holders: number;
}

type SharedByName<B, C> = ReadonlyMap<string, Shared<B, C>>;

interface Held extends Generation {
  readonly http: SharedByName<Backend, HttpClient>;
  readonly grpc: SharedByName<GrpcBackend, GrpcClient>;
  /** Requests that began with it, and one more while it is in force. */
  users: number;
}

export function routesInForce(first: RouteTable, connect: Connect): RoutesInForce {
  const closing = new Set<Promise<void>>();

  const generation = (table: RouteTable, before: Held | undefined): Held => {
    const http = sharedFrom(table.backends, before?.http, connect.http);
    const grpc = sharedFrom(table.grpcBackends, before?.grpc, connect.grpc);
    const number = (before?.number ?? 0) + 1;
    return { number, table, client: clientIn(http), grpcClient: clientIn(grpc), http, grpc, users: 1 };
  };
  const release = (held: Held) => {
    held.users -= 1;
    if (held.users > 0) return;
    for (const share of [...held.http.values(), ...held.grpc.values()]) {
      share.holders -= 1;
      if (share.holders > 0) continue;
      const closed: Promise<void> = Promise.resolve(share.client.close()).finally(() => closing.delete(closed));
      closing.add(closed);
    }
  };

  let current = generation(first, undefined);
  return {
    current: () => current,
    replace: (table) => {
      const before = current;
      current = generation(table, before);
      release(before);
    },
    enter: () => {
      const entered = current;
      entered.users += 1;
      let left = false;
      const leave = () => {
        if (!left) release(entered);
        left = true;
      };
      return { generation: entered, leave };
    },
    close: async () => {
      release(current);
      await Promise.all(closing);
    },
  };
}

/** The clients of these backends: of those that are as before, the one from before. */
function sharedFrom<B, C>(
  backends: Readonly<Record<string, B>>,
  before: SharedByName<B, C> | undefined,
  connect: (name: string, backend: B) => C,
): SharedByName<B, C> {
  const shareOf = (name: string, backend: B): Shared<B, C> => {
    const share = before?.get(name);
    if (share === undefined || !isDeepStrictEqual(share.backend, backend)) {
      return { backend, client: connect(name, backend), holders: 1 };
    }
    share.holders += 1;
    return share;
  };
  return new Map(Object.entries(backends).map(([name, backend]) => [name, shareOf(name, backend)]));
}

function clientIn<B, C>(shared: SharedByName<B, C>): (name: string) => C {
  return (name) => {
    const found = shared.get(name);
    if (found === undefined) throw new Error(`${name} is not among the backends of these routes`);
    return found.client;
  };
}
