import { type EndpointOf, unmatchedEndpoint } from '@microservice-platform/common';
import type { FastifyRequest } from 'fastify';
import { pathFault } from './request-path.ts';
import type { Generation, RoutesInForce } from './routes/in-force.ts';
import type { Match } from './routes/table.ts';

/** What a request is matched with when it comes, and ends with, whatever becomes of the routes meanwhile. */
export interface Matched {
  readonly generation: Generation;
  /** What is asked for, without the query. */
  readonly path: string;
  /** Why that is no path that can be asked for. */
  readonly fault: string | undefined;
  readonly match: Match | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for whatever the gateway has no route of its own for. */
    matched: Matched | undefined;
  }
}

/** A request line may hold a whole address; where it goes is decided here, so only the path counts. */
const absoluteForm = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i;

/** Path and query of a request. */
export function targetOf(request: FastifyRequest): string {
  return request.url.replace(absoluteForm, '');
}

/** Everything that is not the gateway's own. */
export const everythingElse = '/*';

/** Matches a request with the routes in force as soon as it comes, so that it is counted under the route it takes. */
export function matching(routes: RoutesInForce): EndpointOf {
  return (request, reply) => {
    if (request.routeOptions.url !== everythingElse) return undefined;
    const { generation, leave } = routes.enter();
    reply.raw.once('close', leave);
    const path = targetOf(request).split('?', 1)[0] ?? '';
    const fault = pathFault(path);
    const match = fault === undefined ? generation.table.match(request.method, path) : undefined;
    request.matched = { generation, path, fault, match };
    return match?.template ?? unmatchedEndpoint;
  };
}
