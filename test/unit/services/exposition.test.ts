import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DurationHistogram } from '../../../services/common/src/serving/duration-histogram.ts';
import { asksForOpenMetrics, openMetrics } from '../../../services/common/src/serving/exposition.ts';
import { metricsRegistry } from '../../../services/common/src/serving/metrics.ts';

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
/** Runs `work` in a trace that is kept, or one that is not. */
function inTrace(work: () => void, traceFlags = 1): void {
  context.with(trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags }), work);
}

describe('the format of metrics', () => {
  const ofPrometheus =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
  it.each([
    [ofPrometheus, true],
    ['application/openmetrics-text', true],
    ['Application/OpenMetrics-Text; version=1.0.0', true],
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['text/plain, */*', false],
    ['text/plain;q=0.9, application/openmetrics-text;q=0.5', false],
    ['application/openmetrics-text;q=0', false],
    ['application/openmetrics-text;q=none', false],
  ])('asked for by %j is OpenMetrics: %s', (accept, expected) => {
    expect(asksForOpenMetrics(accept)).toBe(expected);
  });

  it('has the same series in OpenMetrics as in plain text, before and after either was asked for', async () => {
    const { registry, observe } = metricsRegistry();
    new Counter({ name: 'things_total', help: 'Things.', labelNames: ['kind'], registers: [registry] }).inc({
      kind: 'a"\\\n',
    });
    new Gauge({ name: 'level', help: 'With "quotes".', registers: [registry] }).set(Number.NaN);
    new Histogram({ name: 'size_bytes', help: 'Sizes.', buckets: [1, 10], registers: [registry] }).observe(3);
    observe({ method: 'GET', endpoint: '/things/:id', status: 200, seconds: 0.02 });
    const series = (text: string) =>
      text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => line.replace(/ # .*$/, '').replace(/ [^ ]*$/, ''))
        .sort();
    const before = series(await registry.metrics());
    const open = await openMetrics(registry);
    expect(series(open)).toEqual(before);
    expect(series(await registry.metrics())).toEqual(before);
    expect(open).toContain('# TYPE things counter\nthings_total{kind="a\\"\\\\\\n"} 1\n');
    expect(open).toContain('# HELP level With \\"quotes\\".\n# TYPE level gauge\nlevel NaN\n');
    expect(open.endsWith('\n# EOF\n')).toBe(true);
  });

  it('shows each bucket with the last trace that was kept and fell into it', async () => {
    const registry = new Registry();
    const options = { name: 'wait_seconds', help: 'Waits.', labelNames: ['what'], registry } as const;
    const waits = new DurationHistogram(options);
    waits.add({ what: 'tea' }, 0.003);
    inTrace(() => waits.add({ what: 'tea' }, 0.02), 0);
    inTrace(() => waits.add({ what: 'tea' }, 0.2));
    inTrace(() => waits.add({ what: 'tea' }, 0.21));
    inTrace(() => waits.add({ what: 'coffee' }, 60));
    const lines = (await openMetrics(registry)).split('\n').filter((line) => line.includes(' # '));
    expect(lines).toEqual([
      expect.stringMatching(
        /^wait_seconds_bucket\{le="0\.25",what="tea"\} 4 # \{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\} 0\.21 \d{10}(\.\d+)?$/,
      ),
      expect.stringMatching(/^wait_seconds_bucket\{le="\+Inf",what="coffee"\} 1 # \{trace_id=.* 60 \d/),
    ]);
    expect(await registry.metrics()).not.toContain('trace_id');
  });
});
