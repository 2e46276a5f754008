import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { Translated } from '../grpc-translation.ts';
import { admissionFaults } from './admission-faults.ts';
import { answerFaults } from './answer-faults.ts';
import { grpcMethods } from './grpc-methods.ts';
import type { Backend, GrpcBackend, RateLimit, Route, RouteFile, Tokens } from './schema.ts';

/** The route that a request takes. */
export interface Match {
  readonly route: Route;
  /** Its path with the version, if it has one: what the request is counted and logged under. */
  readonly template: string;
  /** What stands in the places of `:name` and `*`, decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** Which route a request takes, and what the routes lead to. It never changes. */
export interface RouteTable {
  readonly backends: Readonly<Record<string, Backend>>;
  readonly grpcBackends: Readonly<Record<string, GrpcBackend>>;
  readonly routes: readonly Route[];
  /** The method that a route of that kind leads to. */
  readonly grpc: (route: Route) => Translated;
  readonly profiles: readonly string[];
  readonly tokens: Tokens | undefined;
  readonly rateLimits: Readonly<Record<string, RateLimit>>;
  readonly match: (method: string, path: string) => Match | undefined;
  /** The methods with which `path` has a route, sorted. */
  readonly allowed: (path: string) => readonly string[];
}

interface Entry {
  readonly route: Route;
  readonly template: string;
}

/** What answers a request: a route has exactly one of these fields. How each does is in answering.ts. */
export const routeKinds = ['backend', 'answer', 'compose', 'grpc', 'stream'] as const;
export type RouteKind = (typeof routeKinds)[number];

/** The kind of a route of a table, which has one. */
export function kindOf(route: Route): RouteKind {
  return routeKinds.find((kind) => route[kind] !== undefined) as RouteKind;
}

/** The names of all backends that a route may ask. */
export function backendsOf({ backend, compose, stream }: Route): readonly string[] {
  const parts = Object.values(compose?.parts ?? {}).map((part) => part.backend);
  return [backend, stream?.backend, ...parts].filter((name) => name !== undefined);
}

const methods = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'] as const;

/** The routes of a file, and what is wrong with them together: of two that are the same only the first is in the table. */
export function routeTable(file: RouteFile): { readonly table: RouteTable; readonly faults: readonly string[] } {
  const router = findMyWay({ maxParamLength: 500 });
  const ofRoutes = file.routes.flatMap((route, index) => [
    ...routeFaults(route, file).map((fault) => `routes[${index}] ${fault}`),
    ...added(router, route).map((fault) => `routes[${index}] ${fault}`),
  ]);
  const grpc = grpcMethods(file);
  const faults = [...admissionFaults(file), ...grpc.faults, ...ofRoutes];
  const find = (method: string, path: string) => router.find(method as HTTPMethod, path);
  const table: RouteTable = {
    backends: file.backends,
    grpcBackends: file.grpcBackends ?? {},
    routes: file.routes,
    grpc: (route) => {
      const found = grpc.methods.get(route);
      if (found === undefined) throw new Error(`${route.path} does not lead to a method`);
      return found;
    },
    profiles: file.profiles ?? [],
    tokens: file.tokens,
    rateLimits: file.rateLimits ?? {},
    match: (method, path) => {
      const found = find(method, path);
      return found === null ? undefined : { ...(found.store as Entry), params: found.params };
    },
    allowed: (path) => methods.filter((method) => find(method, path) !== null),
  };
  return { table, faults };
}

/** Puts a route into the router at all its paths; says what is there twice. */
function added(router: findMyWay.Instance<findMyWay.HTTPVersion.V1>, route: Route): readonly string[] {
  const prefixes = ['', ...(route.versions ?? []).map((version) => `/v${version}`)];
  const faults: string[] = [];
  for (const template of prefixes.map((prefix) => `${prefix}${route.path}`)) {
    for (const method of route.methods as HTTPMethod[]) {
      const entry: Entry = { route, template };
      try {
        router.on(method === 'GET' ? ['GET', 'HEAD'] : method, template, () => undefined, entry);
      } catch {
        faults.push(`has ${method} ${template}, which another route has`);
      }
    }
  }
  return faults;
}

/** Requests for these never come to the routes. */
const own: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/faults', '/openapi.json', '/docs']);

function routeFaults(route: Route, file: RouteFile): readonly string[] {
  const { backends } = file;
  const faults: string[] = [...answerFaults(route, file)];
  if (own.has(route.path) || route.path.startsWith('/docs/'))
    faults.push(`has ${route.path}, which the gateway answers itself`);
  const kinds = routeKinds.filter((kind) => route[kind] !== undefined);
  if (kinds.length !== 1) {
    faults.push(`needs one of ${routeKinds.join(', ')}, and has ${kinds.join(' and ') || 'none'}`);
  }
  for (const name of new Set(backendsOf(route))) {
    if (!Object.hasOwn(backends, name)) faults.push(`leads to ${name}, which is not among the backends`);
  }
  return faults;
}
