import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import { limitAnswers } from './answer-limit.ts';
import { problemAnswers, sendProblem } from './answers.ts';
import { answerClientErrors, type Exchanges } from './client-errors.ts';
import { faultsOnDemand } from './faults.ts';
import { type Check, healthRoutes, readiness } from './health.ts';
import { logOptions } from './log.ts';
import { metricsRegistry, metricsRoute } from './metrics.ts';
import { type EndpointOf, observeRequests } from './observation.ts';
import { routeTable } from './route-table.ts';
import { closeSilentConnections } from './silent-connections.ts';
import { timeouts as standardTimeouts, type Timeouts } from './timeouts.ts';

export interface ServiceOptions {
  readonly name: string;
  readonly version: string;
  readonly logLevel: string;
  /** What must work for the service to be ready, by name. */
  readonly checks: Readonly<Record<string, Check>>;
  /** Whoever has it may ask for faults at `/faults`; without one there is no such path, and nothing stands in the way. */
  readonly faultsToken?: string | undefined;
  /** Differences from the standard timeouts. */
  readonly timeouts?: Partial<Timeouts>;
  /** The template that a request is counted and logged under, where its route is one of the service's own making. */
  readonly endpointOf?: EndpointOf;
}

/** Bodies of requests, in bytes. */
const bodyLimit = 1024 * 1024;

/**
 * A fastify application with what every service has: timeouts, JSON logs with trace ids, errors as problem+json,
 * `/healthz`, `/readyz`, `/metrics`, request metrics and server spans. The service adds its routes; `serve` runs it.
 */
export function service(options: ServiceOptions): FastifyInstance {
  const limits = { ...standardTimeouts, ...options.timeouts };
  const exchanges: Exchanges = new WeakMap();
  const app = fastify({
    logger: logOptions(options),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestId,
    bodyLimit,
    requestTimeout: limits.readMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: { headersTimeout: limits.readMs, connectionsCheckingInterval: Math.min(500, limits.readMs) },
    return503OnClosing: false,
    clientErrorHandler: answerClientErrors(exchanges),
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  });
  closeSilentConnections(app.server, limits.readMs);
  const routes = routeTable(app);
  app.decorate('metrics', metricsRegistry());
  app.decorate('readiness', readiness(options.checks, limits.checkMs));
  observeRequests(app, { routes, exchanges, endpointOf: options.endpointOf });
  limitAnswers(app, limits);
  answerHeaders(app);
  problemAnswers(app, routes);
  if (options.faultsToken !== undefined) faultsOnDemand(app, options.faultsToken);
  healthRoutes(app, options.version);
  metricsRoute(app);
  return app;
}

/** The caller's id for the request where it is a plain one, so that logs of several services can be joined. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/** The caller learns the request's id; while draining, connections are not kept. */
function answerHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  // When the answer leaves, not when the request comes: a connection that is kept would hold up the shutdown.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (app.readiness.draining) reply.header('connection', 'close');
    done();
  });
}
