import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

declare module 'fastify' {
  interface FastifyInstance {
    /** This service's metrics. A service adds its own counters to `registry`. */
    readonly metrics: RequestMetrics;
  }
}

export interface RequestMetrics {
  readonly registry: Registry;
  /** Counts one finished request. `endpoint` is the route's template, so that the number of series is bounded. */
  readonly observe: (request: FinishedRequest) => void;
}

export interface FinishedRequest {
  readonly method: string;
  readonly endpoint: string;
  readonly status: number;
  readonly seconds: number;
}

/** The endpoint under which every path without a route is counted. */
export const unmatchedEndpoint = '(unmatched)';

/** From a quick look-up to the limit for an answer (10 s). */
export const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry of its own, with Node's default metrics and the two that every service has. */
export function metricsRegistry(): RequestMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answered HTTP requests, by route template.',
    labelNames: ['method', 'endpoint', 'status'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, by route template.',
    labelNames: ['method', 'endpoint'],
    buckets: durationBuckets,
    registers: [registry],
  });
  return {
    registry,
    observe: ({ method, endpoint, status, seconds }) => {
      requests.inc({ method, endpoint, status: String(status) });
      duration.observe({ method, endpoint }, seconds);
    },
  };
}

/** Serves `GET /metrics` in Prometheus' text format. */
export function metricsRoute(app: FastifyInstance): void {
  app.get('/metrics', async (_request, reply) => {
    const { registry } = app.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
