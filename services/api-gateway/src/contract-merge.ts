import { isDeepStrictEqual } from 'node:util';
import type { Route } from './routes/schema.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The files of a backend's contract by their paths: `/openapi.yaml`, and those that it refers to. */
export type ContractFiles = Readonly<Record<string, Json>>;

export const contractPath = '/openapi.yaml';

/**
 * One document of what these routes lead to, in the words of the backends' contracts. A path that its backend does not
 * promise is not in it; what is not asked by HTTP, or of several backends, is there with its path alone.
 */
export function mergedContract(routes: readonly Route[], contracts: ReadonlyMap<string, ContractFiles>): Json {
  const components = componentsOf(contracts);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const backend = route.backend ?? route.stream?.backend;
    const found = backend === undefined ? bare(route) : promised(route, backend, contracts.get(backend), components);
    for (const { path, method, operation } of found) {
      paths[path] = { ...paths[path], [method]: { ...operation, ...securityOf(route) } };
    }
  }
  const guarded = routes.some(({ scopes }) => scopes !== undefined);
  return {
    openapi: '3.1.0',
    info: { title: 'The shop', version: '1', description: 'What the gateway answers, as the routes in force have it.' },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      ...components.all(),
      ...(guarded ? { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } } : {}),
    },
  };
}

/** The files that a document refers to, as paths at the same server. */
export function filesNamedIn(document: unknown, at: string): readonly string[] {
  if (Array.isArray(document)) return document.flatMap((it) => filesNamedIn(it, at));
  if (typeof document !== 'object' || document === null) return [];
  const { $ref, ...rest } = document as Record<string, unknown>;
  const own = typeof $ref === 'string' && !$ref.startsWith('#') ? [fileOf($ref, at)] : [];
  return [...new Set([...own, ...Object.values(rest).flatMap((it) => filesNamedIn(it, at))])];
}

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operation: Json;
}

interface Components {
  /** A copy of `value`, whose references lead into the one document. */
  readonly moved: (value: unknown, from: Place) => unknown;
  readonly all: () => Json;
}

/** Where a reference stands. */
interface Place {
  readonly backend: string;
  readonly file: string;
}

/** The operations of a contract that a route leads to, at each of its paths. */
function promised(
  route: Route,
  backend: string,
  files: ContractFiles | undefined,
  components: Components,
): readonly Operation[] {
  const document = files?.[contractPath];
  const from = { backend, file: contractPath };
  const items = Object.entries((document?.paths ?? {}) as Record<string, Json>);
  return items.flatMap(([path, item]) => {
    if (!leadsTo(route.path, path)) return [];
    return route.methods.flatMap((name) => {
      const method = name.toLowerCase();
      const operation = item[method] as Json | undefined;
      if (operation === undefined) return [];
      const servers = operation.servers ?? item.servers ?? document?.servers;
      const { servers: _, operationId: __, ...own } = operation;
      const parameters = [...((item.parameters ?? []) as unknown[]), ...((own.parameters ?? []) as unknown[])];
      const moved = components.moved({ ...own, ...(parameters.length > 0 ? { parameters } : {}) }, from) as Json;
      return prefixesOf(route, servers).map((prefix) => ({
        path: `${prefix}${path}`,
        method,
        operation: { tags: [backend], ...moved },
      }));
    });
  });
}

/** The plain path, and below each version that both the route and the contract have. */
function prefixesOf({ versions = [] }: Route, servers: unknown): readonly string[] {
  const urls = new Set(((servers ?? []) as readonly { readonly url: string }[]).map(({ url }) => url));
  return ['', ...versions.map((version) => `/v${version}`).filter((prefix) => urls.has(prefix))];
}

/** Whether the path of a route, such as `/orders/:id` or `/orders/*`, takes what a contract has at `/orders/{id}`. */
function leadsTo(routePath: string, path: string): boolean {
  const given = routePath.replace(/:\w+/g, '{}');
  const promisedPath = path.replace(/\{\w+\}/g, '{}');
  return given.endsWith('/*') ? promisedPath.startsWith(given.slice(0, -1)) : given === promisedPath;
}

function bare(route: Route): readonly Operation[] {
  const path = route.path.replace(/:(\w+)/g, '{$1}');
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const operation = {
    summary: route.grpc === undefined ? 'Answered by the gateway.' : `By gRPC: ${route.grpc.method}.`,
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: { 200: { description: 'The answer.' } },
  };
  const prefixes = ['', ...(route.versions ?? []).map((version) => `/v${version}`)];
  return prefixes.flatMap((prefix) =>
    route.methods.map((method) => ({ path: `${prefix}${path}`, method: method.toLowerCase(), operation })),
  );
}

function securityOf({ scopes }: Route): Json {
  return scopes === undefined ? {} : { security: [{ bearer: scopes }] };
}

/**
 * The components that were referred to, each once. Those of a backend's own contract are named for it; those of a file
 * that several share keep their name while they are the same.
 */
function componentsOf(contracts: ReadonlyMap<string, ContractFiles>): Components {
  const names = new Map<string, string>();
  const shared = new Map<string, { readonly target: string; readonly document: unknown }>();
  const all: Record<string, Record<string, unknown>> = {};

  const refTo = (ref: string, { backend, file }: Place): string => {
    const target = ref.startsWith('#') ? file : fileOf(ref, file);
    const pointer = ref.slice(ref.indexOf('#') + 1);
    const key = `${backend} ${target} ${pointer}`;
    const known = names.get(key);
    if (known !== undefined) return known;
    const value = valueAt(contracts.get(backend)?.[target], pointer);
    const kind = /^\/components\/(\w+)\//.exec(pointer)?.[1] ?? kindOf(value);
    const last = pointer.split('/').at(-1) ?? '';
    const origin = { target, document: contracts.get(backend)?.[target] };
    const before = shared.get(`${kind}/${last}`);
    const same = before === undefined || isDeepStrictEqual(before, origin);
    const name = target !== contractPath && same ? last : `${backend}.${last}`;
    const reference = `#/components/${kind}/${name}`;
    names.set(key, reference);
    if (name === last && before !== undefined) return reference;
    if (name === last) shared.set(`${kind}/${last}`, origin);
    all[kind] ??= {};
    all[kind][name] = moved(value, { backend, file: target });
    return reference;
  };
  const moved = (value: unknown, from: Place): unknown => {
    if (Array.isArray(value)) return value.map((it) => moved(it, from));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, it]) => [
        key,
        key === '$ref' && typeof it === 'string' ? refTo(it, from) : moved(it, from),
      ]),
    );
  };
  return { moved, all: () => all };
}

/** What a component is that stands in a file without saying so. */
function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return 'schemas';
  if ('in' in value) return 'parameters';
  return 'content' in value || 'headers' in value ? 'responses' : 'schemas';
}

function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Json)[key] : {};
  }
  return value ?? {};
}

function fileOf(ref: string, at: string): string {
  return new URL(ref, `http://backend${at}`).pathname;
}
