import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { reportingExporter } from '../../../services/common/src/telemetry/reporting-exporter.ts';
import { countingFates, type SpanFates } from '../../../services/common/src/telemetry/span-fates.ts';
import { batchOf } from '../../../services/common/src/telemetry/trace-exporter.ts';

type Done = (result: ExportResult) => void;

/** Spans of a provider as telemetry makes it, over a collector that the test plays. */
function traced(collector: (done: Done) => void) {
  const fates: SpanFates = { sent: 0, failed: 0, dropped: 0 };
  const inner: SpanExporter = { export: (_spans, done) => collector(done), shutdown: async () => undefined };
  const processor = new BatchSpanProcessor({
    exporter: reportingExporter(inner, 'test', pino({ enabled: false })),
    ...batchOf({ exporter: 'otlp' }),
    selfObsMeterProvider: countingFates(fates),
  });
  const provider = new TracerProvider({ spanProcessors: [processor] });
  const end = (count: number) => {
    for (let i = 0; i < count; i += 1) provider.getTracer('test').startSpan('a span').end();
  };
  return { fates, end, flush: () => provider.forceFlush().catch(() => undefined) }; // it fails with the collector
}

describe('the fate of a span', () => {
  it('is sent when the collector took it', async () => {
    const { fates, end, flush } = traced((done) => done({ code: ExportResultCode.SUCCESS }));
    end(700);
    await flush();
    expect(fates).toEqual({ sent: 700, failed: 0, dropped: 0 });
  });

  it('is failed when the collector did not, whether it says why or not', async () => {
    const answers: ExportResult[] = [
      { code: ExportResultCode.FAILED, error: new Error('no collector') },
      { code: ExportResultCode.FAILED },
    ];
    const { fates, end, flush } = traced((done) => done(answers.shift() ?? { code: ExportResultCode.SUCCESS }));
    end(1_000);
    await flush();
    end(10);
    await flush();
    expect(fates).toEqual({ sent: 10, failed: 1_000, dropped: 0 });
  });

  it('is dropped when too many wait already, and each of 50,000 is counted once', async () => {
    const open: Done[] = [];
    const { fates, end, flush } = traced((done) => void open.push(done));
    end(50_000);
    expect(fates).toEqual({ sent: 0, failed: 0, dropped: 50_000 - 2_048 - 512 });
    const flushed = flush();
    for (const done of open) done({ code: ExportResultCode.FAILED });
    await flushed;
    expect(fates.sent + fates.failed + fates.dropped).toBe(50_000);
  });
});
