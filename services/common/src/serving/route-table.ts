import type { FastifyInstance } from 'fastify';

/** Which methods each path answers, so that a known path with another method is 405 and not 404. */
export interface RouteTable {
  /** The methods of every route that `path` matches, sorted; empty when there is none. */
  readonly allowed: (path: string) => readonly string[];
  /** The template of the first route that `path` matches. */
  readonly template: (path: string) => string | undefined;
}

interface Route {
  readonly template: string;
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Collects the routes of `app` as they are added; call it before the first one. */
export function routeTable(app: FastifyInstance): RouteTable {
  const routes = new Map<string, Route>();
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { template: url, pattern: patternOf(url), methods: new Set() };
    for (const name of [method].flat()) route.methods.add(name);
    routes.set(url, route);
  });
  const matching = (path: string) => [...routes.values()].filter(({ pattern }) => pattern.test(path));
  return {
    allowed: (path) => [...new Set(matching(path).flatMap(({ methods }) => [...methods]))].sort(),
    template: (path) => matching(path)[0]?.template,
  };
}

/** `/products/:id` matches one segment in place of `:id`; a `*` at the end matches everything. */
export function patternOf(template: string): RegExp {
  const escaped = template.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/:[^/]+/g, '[^/]+').replace(/\*$/, '.*')}$`);
}
