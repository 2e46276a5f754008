import { trace } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { failSpan } from '../telemetry/tracing.ts';
import { Problem, problemMediaType, problemOf } from './problem.ts';
import type { RouteTable } from './route-table.ts';

/** Every error leaves as `application/problem+json`; an unknown path is 404, a known one with another method 405. */
export function problemAnswers(app: FastifyInstance, routes: RouteTable): void {
  const noRoute = (request: FastifyRequest, reply: FastifyReply) => {
    const path = pathOf(request);
    const allowed = routes.allowed(path);
    if (allowed.length === 0) return sendProblem(new Problem('not_found', `nothing at ${path}`), request, reply);
    reply.header('allow', allowed.join(', '));
    const detail = `${request.method} is not possible here; use ${allowed.join(' or ')}`;
    return sendProblem(new Problem('method_not_allowed', detail), request, reply);
  };
  app.setNotFoundHandler(noRoute);
  app.setErrorHandler((error, request, reply) => {
    // What is wrong with the body does not matter where nothing takes one.
    const misplaced = request.is404 && problemOf(error).status < 500;
    return misplaced ? noRoute(request, reply) : sendProblem(error, request, reply);
  });
}

/** Answers with what `thrown` is to the caller. Only our own faults (5xx) are logged as errors and fail the span. */
export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(thrown);
  const callerLeft = reply.raw.destroyed; // then nobody waits for an answer, and what failed is not ours
  if (problem.status >= 500 && !callerLeft) {
    const cause = problem.cause ?? problem;
    request.log.error({ err: cause, code: problem.code }, 'request failed');
    const span = trace.getActiveSpan();
    if (span !== undefined) failSpan(span, cause);
  }
  if (problem.code === 'unauthenticated' && !reply.hasHeader('www-authenticate')) {
    reply.header('www-authenticate', 'Bearer'); // RFC 9110, section 15.5.2
  }
  return reply.code(problem.status).type(problemMediaType).send(JSON.stringify(problem.body()));
}

/** The path of a request, without its query. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}
