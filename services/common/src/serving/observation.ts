import { type Attributes, type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
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
      app.metrics.observe({ method: knownMethod(request), endpoint, status, seconds });
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

/** The methods that have a name of their own in metrics and traces; the parser knows two dozen more, for whoever sends them. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);
const otherMethod = '_OTHER';

function knownMethod({ method }: FastifyRequest): string {
  return methods.has(method) ? method : otherMethod;
}

/** The query is left out: what callers put there is not ours to keep. */
function startServerSpan(request: FastifyRequest, endpoint: string, parent: Context): Span {
  const method = knownMethod(request);
  const shown = method === otherMethod ? 'HTTP' : method;
  const matched = endpoint !== unmatchedEndpoint;
  const span = tracer().startSpan(matched ? `${shown} ${endpoint}` : shown, { kind: SpanKind.SERVER }, parent);
  if (!span.isRecording()) return span;
  const agent = request.headers['user-agent'];
  return span.setAttributes({
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_URL_PATH]: pathOf(request),
    [ATTR_URL_SCHEME]: request.protocol,
    [ATTR_NETWORK_PROTOCOL_VERSION]: request.raw.httpVersion,
    ...(method === otherMethod ? { [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: request.method } : {}),
    ...(matched ? { [ATTR_HTTP_ROUTE]: endpoint } : {}),
    ...(agent === undefined ? {} : { [ATTR_USER_AGENT_ORIGINAL]: agent }),
    ...addressed(request.headers.host),
  });
}

/** Where the caller believes us to be. */
function addressed(host = ''): Attributes {
  const [, address, port] = /^(\[[\da-f:.]+\]|[^:]+)(?::(\d+))?$/i.exec(host) ?? [];
  return {
    ...(address === undefined ? {} : { [ATTR_SERVER_ADDRESS]: address }),
    ...(port === undefined ? {} : { [ATTR_SERVER_PORT]: Number(port) }),
  };
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
