import { Problem } from '@microservice-platform/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Asked, Asking } from './answer.ts';
import { caching } from './caching.ts';
import { compose } from './composition.ts';
import { forward } from './forward.ts';
import { grpcForward } from './grpc-forward.ts';
import { masking } from './masking.ts';
import { everythingElse, type Matched } from './matching.ts';
import { inShape, shapeFor } from './profiles.ts';
import { kindOf, type Match, type RouteKind } from './routes/table.ts';
import { staticAnswer } from './static-answer.ts';
import type { Streams } from './stream-forward.ts';

/** What each kind of route is answered with; a route has exactly one of these fields. */
const kinds: Readonly<Record<Exclude<RouteKind, 'stream'>, Asking>> = {
  backend: forward,
  answer: staticAnswer,
  compose,
  grpc: grpcForward,
};

/**
 * Answers each request as the route says that it was matched with: what answers its kind, or what is kept of that, or
 * what stands in for a failure; in the shape for the client.
 */
export function answering(app: FastifyInstance, streams: Streams): void {
  const cache = caching(app.metrics.registry);
  const unmasked: Asking = (asked) => cache.answer(asked, kinds[kindOf(asked.route) as keyof typeof kinds]);
  const masked = masking(app.metrics.registry, cache.lastGood);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.all(everythingElse, async (request, reply) => {
    const matched = request.matched as Matched;
    const { generation, match = noRoute(matched, request, reply) } = matched;
    const asked: Asked = { ...match, generation, request, signal: request.abandoned };
    if (match.route.stream !== undefined) return streams.pass(asked, reply); // nothing to keep or to change
    const shape = shapeFor(asked);
    const { status, headers, body } = inShape(await masked(asked, unmasked), asked, shape);
    return reply.code(status).headers(headers).send(body);
  });
}

/** @throws Problem that says what is wrong with the path or the method */
function noRoute({ generation, path, fault }: Matched, request: FastifyRequest, reply: FastifyReply): Match {
  if (fault !== undefined) throw new Problem('invalid_request', fault);
  const allowed = generation.table.allowed(path);
  if (allowed.length === 0) throw new Problem('not_found', `nothing at ${path}`);
  reply.header('allow', allowed.join(', '));
  const detail = `${request.method} is not possible here; use ${allowed.join(' or ')}`;
  throw new Problem('method_not_allowed', detail);
}
