import type { FastifyInstance } from 'fastify';

/**
 * Adds routes at their plain paths, where everybody finds the current version, and below `/v<version>`, for callers that
 * stay with it. Each route has a version of its own: a change that would break a caller makes the next version of that
 * route, and the one before is kept by {@link deprecated}. What breaks a caller is what the contracts' tests refuse.
 */
export function versioned(app: FastifyInstance, version: number, routes: (api: FastifyInstance) => void): void {
  routes(app);
  app.register(async (api) => routes(api), { prefix: `/v${version}` });
}

/** What callers of an older version are told with each answer. */
export interface Replaced {
  /** When it was replaced. */
  readonly since: Date;
  /** From then on it may be gone. */
  readonly sunset: Date;
  /** Where its current version is. */
  readonly successor: string;
}

/** Keeps an older version of routes, below `/v<version>` only. Its answers say so as RFC 9745 and RFC 8594 have it. */
export function deprecated(
  app: FastifyInstance,
  version: number,
  { since, sunset, successor }: Replaced,
  routes: (api: FastifyInstance) => void,
): void {
  const notice = {
    deprecation: `@${Math.floor(since.getTime() / 1000)}`,
    sunset: sunset.toUTCString(),
    link: `<${successor}>; rel="successor-version"`,
  };
  const tell = (api: FastifyInstance) => {
    api.addHook('onRequest', async (_request, reply) => void reply.headers(notice));
    routes(api);
  };
  app.register(async (api) => tell(api), { prefix: `/v${version}` });
}
