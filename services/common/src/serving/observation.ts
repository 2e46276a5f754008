import { type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
} from '@opentelemetry/semantic-conventions';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { extractContext, tracer } from '../telemetry/tracing.ts';
import { pathOf } from './answers.ts';
import type { Exchange, Exchanges } from './client-errors.ts';
import { unmatchedEndpoint } from './metrics.ts';
import type { RouteTable } from './route-table.ts';

/** Asked for all day by machines: counted, but neither traced nor logged above debug. */
const quiet = new Set(['/healthz', '/readyz', '/metrics']);

/** The template of a request's route; undefined where fastify's is right. */
export type EndpointOf = (request: FastifyRequest, reply: FastifyReply) => string | undefined;

export interface Observation {
  readonly routes: RouteTable;
  readonly exchanges: Exchanges;
  readonly endpointOf: EndpointOf | undefined;
}

/** The status under which a request is counted whose caller left before there was an answer. */
const callerLeft = 499;

/**
 * Each request gets a server span, active in everything that handles it; once it has ended, however it ended, it is
 * counted, timed and logged with the ids of its trace.
 */
export function observeRequests(app: FastifyInstance, { routes, exchanges, endpointOf }: Observation): void {
  app.addHook('onRequest', (request, reply, done) => {
    const own = () => request.routeOptions.url ?? routes.template(pathOf(request)) ?? unmatchedEndpoint;
    const endpoint = endpointOf?.(request, reply) ?? own();
    const started = performance.now();
    const exchange: Exchange = { response: reply.raw };
    exchanges.set(request.raw.socket, exchange);

    const parent = extractContext(request.headers);
    const span = quiet.has(endpoint) ? undefined : startServerSpan(request, endpoint, parent);
    const active = span === undefined ? parent : trace.setSpan(parent, span);
    const finish = () => {
      const status = statusOf(reply, exchange);
      const seconds = (performance.now() - started) / 1000;
      app.metrics.observe({ method: request.method, endpoint, status, seconds });
      if (span !== undefined) endServerSpan(span, status);
      logRequest(request, { endpoint, status, seconds });
    };
    reply.raw.once('close', context.bind(active, finish));
    context.with(active, done);
  });
}

function statusOf(reply: FastifyReply, exchange: Exchange): number {
  if (exchange.refusedAs !== undefined) return exchange.refusedAs;
  return reply.raw.headersSent ? reply.raw.statusCode : callerLeft;
}

function startServerSpan(request: FastifyRequest, endpoint: string, parent: Context): Span {
  const matched = endpoint !== unmatchedEndpoint;
  return tracer().startSpan(
    matched ? `${request.method} ${endpoint}` : request.method,
    {
      kind: SpanKind.SERVER,
      attributes: {
        [ATTR_HTTP_REQUEST_METHOD]: request.method,
        [ATTR_URL_PATH]: pathOf(request),
        [ATTR_URL_SCHEME]: request.protocol,
        ...(matched ? { [ATTR_HTTP_ROUTE]: endpoint } : {}),
      },
    },
    parent,
  );
}

function endServerSpan(span: Span, status: number): void {
  span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
  if (status >= 500) {
    span.setAttribute(ATTR_ERROR_TYPE, String(status));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function logRequest(
  request: FastifyRequest,
  { endpoint, status, seconds }: { endpoint: string; status: number; seconds: number },
): void {
  const line = { method: request.method, endpoint, status, duration_ms: Math.round(seconds * 1e5) / 100 };
  if (quiet.has(endpoint)) request.log.debug(line, 'request');
  else request.log.info(line, 'request');
}
