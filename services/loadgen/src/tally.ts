import { durationBuckets } from '@microservice-platform/common';
import { Counter, Histogram, type Registry } from 'prom-client';
import { quantiles } from './quantiles.ts';
import type { Kind } from './traffic.ts';

/**
 * Why a request failed: no answer in time, no connection or one that broke, an answer that is not what was asked for,
 * another status than the expected one.
 */
export type Failure = 'timeout' | 'connection' | 'body' | `status_${number}`;

export type Outcome = 'answered' | Failure;

/** `sent` is `answered` and all that `failed`, once nothing is under way; with `dropped` it is all that was due. */
export interface Summary {
  readonly sent: number;
  readonly answered: number;
  /** By reason, a {@link Failure}. */
  readonly failed: Readonly<Record<string, number>>;
  /** Not sent, because too many were under way. */
  readonly dropped: number;
  /** Orders that the shop has accepted. */
  readonly orders: number;
  /** From the moment when a request was due to the end of its answer, for those answered; within 1 %. */
  readonly p50_ms: number | undefined;
  readonly p99_ms: number | undefined;
  /** The most that a request was sent after it was due. */
  readonly max_lag_ms: number;
}

/** Counts what becomes of requests, for the metrics and for the summary at the end. */
export interface Tally {
  readonly dropped: (kind: Kind) => void;
  readonly sent: (lagMs: number) => void;
  readonly ended: (kind: Kind, outcome: Outcome, ms: number) => void;
  readonly summary: () => Summary;
}

const lagBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export function tally(registry: Registry): Tally {
  const metrics = loadMetrics(registry);
  const latencies = quantiles();
  const failed: Record<string, number> = {};
  const counts = { sent: 0, answered: 0, dropped: 0, orders: 0 };
  let maxLagMs = 0;
  return {
    dropped: (kind) => {
      counts.dropped += 1;
      metrics.requests.inc({ kind, outcome: 'dropped' });
    },
    sent: (lagMs) => {
      counts.sent += 1;
      maxLagMs = Math.max(maxLagMs, lagMs);
      metrics.lag.observe(lagMs / 1000);
    },
    ended: (kind, outcome, ms) => {
      metrics.requests.inc({ kind, outcome });
      metrics.duration.observe({ kind, outcome: outcome === 'answered' ? 'answered' : 'failed' }, ms / 1000);
      if (outcome !== 'answered') {
        failed[outcome] = (failed[outcome] ?? 0) + 1;
        return;
      }
      counts.answered += 1;
      if (kind === 'place_order') counts.orders += 1;
      latencies.add(ms);
    },
    summary: () => ({
      ...counts,
      failed,
      p50_ms: rounded(latencies.at(0.5)),
      p99_ms: rounded(latencies.at(0.99)),
      max_lag_ms: Math.round(maxLagMs * 100) / 100,
    }),
  };
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 100) / 100;
}

function loadMetrics(registry: Registry) {
  return {
    requests: new Counter({
      name: 'loadgen_requests_total',
      help: 'Requests that were due, by what became of them: answered, dropped, or why they failed.',
      labelNames: ['kind', 'outcome'],
      registers: [registry],
    }),
    duration: new Histogram({
      name: 'loadgen_request_duration_seconds',
      help: 'Time from the moment when a request was due to the end of its answer.',
      labelNames: ['kind', 'outcome'],
      buckets: durationBuckets,
      registers: [registry],
    }),
    lag: new Histogram({
      name: 'loadgen_schedule_lag_seconds',
      help: 'Time from the moment when a request was due to its start.',
      buckets: lagBuckets,
      registers: [registry],
    }),
  };
}
