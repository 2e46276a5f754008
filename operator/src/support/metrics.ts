import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the metrics ask for at the moment when they are read. */
export interface Sources {
  queueDepth(): number;
  queueDelayed(): number;
  /** Every Microservice and whether it is ready. */
  microservices(): Iterable<{ readonly namespace: string; readonly name: string; readonly ready: boolean }>;
  /** Every objective of every Microservice. `le` goes with latency: the time within which a request is good, in seconds. */
  objectives(): Iterable<{
    readonly namespace: string;
    readonly name: string;
    readonly slo: string;
    readonly le?: string;
    readonly ratio: number;
  }>;
  unsyncedWatches(): number;
  /** Milliseconds since anything happened on the watch of each kind. */
  watchIdleMs(): Iterable<readonly [kind: string, ms: number]>;
  /** Whether this operator is the one that works. */
  leads(): boolean;
}

const prefix = 'microservice_platform';
const seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type Metrics = ReturnType<typeof openMetrics>;

/** The operator's metrics, names and help in one list, with those of its process. */
export function openMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    queueAdds: new Counter({
      name: `${prefix}_queue_adds_total`,
      help: 'Keys added to the work queue; one that waits already is not added again.',
      registers,
    }),
    queueWait: new Histogram({
      name: `${prefix}_queue_wait_seconds`,
      help: 'Time from the moment that a key is ready until a worker takes it.',
      buckets: seconds,
      registers,
    }),
    reconciles: new Counter({
      name: `${prefix}_reconciles_total`,
      help: 'Passes over a Microservice, by how they ended: settled, after (another pass is wanted), failed.',
      labelNames: ['result'] as const,
      registers,
    }),
    reconcileDuration: new Histogram({
      name: `${prefix}_reconcile_duration_seconds`,
      help: 'Time that a pass over a Microservice took.',
      buckets: seconds,
      registers,
    }),
    apiRequests: new Counter({
      name: `${prefix}_api_requests_total`,
      help: 'Requests to the API server, repeated ones too; code is the HTTP status, or none without an answer.',
      labelNames: ['verb', 'kind', 'code'] as const,
      registers,
    }),
    apiRequestDuration: new Histogram({
      name: `${prefix}_api_request_duration_seconds`,
      help: 'Time until the API server began to answer.',
      labelNames: ['verb'] as const,
      buckets: seconds,
      registers,
    }),
    watchRestarts: new Counter({
      name: `${prefix}_watch_restarts_total`,
      help: 'Watches opened again after a failure; expired ones had to list everything anew.',
      labelNames: ['kind', 'reason'] as const,
      registers,
    }),
    repairsHeldBack: new Counter({
      name: `${prefix}_repairs_held_back_total`,
      help: 'Times that somebody undid so many repairs of a child that the next ones have to wait.',
      registers,
    }),
    spansLost: new Counter({
      name: `${prefix}_spans_lost_total`,
      help: 'Spans of traces that could not be sent.',
      registers,
    }),
    budgetReadings: new Counter({
      name: `${prefix}_budget_readings_total`,
      help: 'Times that Prometheus was asked for what is left of the error budgets, by outcome: answered, failed.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    eventsDropped: new Counter({
      name: `${prefix}_events_dropped_total`,
      help: 'Kubernetes events that could not be recorded.',
      registers,
    }),
  };
}

/** Adds the metrics that are read from the parts themselves. */
export function observeSources({ registry }: Metrics, sources: Sources): void {
  const registers = [registry];
  new Gauge({
    name: `${prefix}_queue_depth`,
    help: 'Keys that wait for a worker.',
    registers,
    collect() {
      this.set(sources.queueDepth());
    },
  });
  new Gauge({
    name: `${prefix}_queue_delayed`,
    help: 'Keys that are put off, to be tried again or looked at later.',
    registers,
    collect() {
      this.set(sources.queueDelayed());
    },
  });
  new Gauge({
    name: `${prefix}_watches_unsynced`,
    help: 'Kinds of which memory is not complete.',
    registers,
    collect() {
      this.set(sources.unsyncedWatches());
    },
  });
  new Gauge({
    name: `${prefix}_watch_idle_seconds`,
    help: 'Time since anything happened on the watch of a kind: an event, a bookmark, a failure. More than 90 is too long.',
    labelNames: ['kind'] as const,
    registers,
    collect() {
      for (const [kind, ms] of sources.watchIdleMs()) this.set({ kind }, ms / 1000);
    },
  });
  new Gauge({
    name: `${prefix}_leader`,
    help: '1 for the operator that works, 0 for those that stand by.',
    registers,
    collect() {
      this.set(sources.leads() ? 1 : 0);
    },
  });
  new Gauge({
    name: `${prefix}_microservice_ready`,
    help: '1 for a Microservice that is Ready, 0 for one that is not.',
    labelNames: ['namespace', 'name'] as const,
    registers,
    collect() {
      this.reset();
      for (const { namespace, name, ready } of sources.microservices()) {
        this.set({ namespace, name }, ready ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: `${prefix}_slo_objective`,
    help: 'Share of requests that a Microservice promises to answer well: without an error (availability), or within le seconds (latency).',
    labelNames: ['namespace', 'name', 'slo', 'le'] as const,
    registers,
    collect() {
      this.reset();
      for (const { ratio, ...labels } of sources.objectives()) this.set(labels, ratio);
    },
  });
}
