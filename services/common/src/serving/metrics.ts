import type { FastifyInstance } from 'fastify';
import { Counter, Registry } from 'prom-client';
import { DurationHistogram } from './duration-histogram.ts';
import { asksForOpenMetrics, openMetrics, openMetricsType } from './exposition.ts';
import { processMetrics } from './process-metrics.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** This service's metrics. A service adds its own counters to `registry`. */
    readonly metrics: RequestMetrics;
  }
}

export interface RequestMetrics {
  readonly registry: Registry;
  /**
   * Counts one finished request, with the active trace as its exemplar. `endpoint` is the route's template, so that the
   * number of series is bounded.
   */
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

/** A registry of its own, with what every process and every service has. */
export function metricsRegistry(): RequestMetrics {
  const registry = new Registry();
  processMetrics(registry);
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answered HTTP requests, by route template.',
    labelNames: ['method', 'endpoint', 'status'],
    registers: [registry],
  });
  const duration = new DurationHistogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, by route template.',
    labelNames: ['method', 'endpoint'],
    registry,
  });
  return {
    registry,
    observe: ({ method, endpoint, status, seconds }) => {
      requests.inc({ method, endpoint, status: String(status) });
      duration.add({ method, endpoint }, seconds);
    },
  };
}

/** Serves `GET /metrics`: in OpenMetrics with exemplars to who asks for that, else in Prometheus' text format. */
export function metricsRoute(app: FastifyInstance): void {
  app.get('/metrics', async ({ headers }, reply) => {
    const { registry } = app.metrics;
    reply.header('vary', 'accept');
    if (asksForOpenMetrics(headers.accept)) return reply.type(openMetricsType).send(await openMetrics(registry));
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
