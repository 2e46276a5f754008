import { performance } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { spanFates } from '../telemetry/span-fates.ts';

/** What every process shows of itself: Node's own metrics, how busy its event loop is, what became of its spans. */
export function processMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: 'nodejs_eventloop_utilization',
    help: 'Share of the time since the last scrape in which the event loop had work, from 0 to 1.',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
  new Counter({
    name: 'telemetry_spans_total',
    help: 'Ended spans by what became of them: sent, failed (the collector did not take them), dropped (too many waited).',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(spanFates)) this.inc({ outcome }, count);
    },
  });
}
