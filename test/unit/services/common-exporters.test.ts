import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import { guardedExporter } from '../../../services/common/src/telemetry/jaeger-exporter.ts';
import { reportingExporter } from '../../../services/common/src/telemetry/reporting-exporter.ts';

const success: ExportResult = { code: ExportResultCode.SUCCESS };
const failure: ExportResult = { code: ExportResultCode.FAILED, error: new Error('no collector') };

function exporter(
  onExport: (done: (result: ExportResult) => void) => void,
  onShutdown = () => undefined,
): SpanExporter {
  return {
    export: (_spans, done) => onExport(done),
    shutdown: async () => onShutdown(),
  };
}

function exportOnce(it: SpanExporter): Promise<ExportResult> {
  return new Promise((resolve) => it.export([], resolve));
}

describe('the guard around the Jaeger exporter', () => {
  it('answers once although the exporter calls back twice', async () => {
    let calls = 0;
    const twice = exporter((done) => {
      done(failure);
      done(success);
    });
    guardedExporter(() => twice, 50).export([], () => {
      calls += 1;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
  });

  it('answers in time although the exporter never does, and starts over with a new one', async () => {
    const thrownAway: string[] = [];
    const made: SpanExporter[] = [
      exporter(
        () => undefined,
        () => void thrownAway.push('the silent one'),
      ),
      exporter((done) => done(success)),
    ];
    const guarded = guardedExporter(() => made.shift() as SpanExporter, 20);
    expect((await exportOnce(guarded)).error?.message).toBe('the collector: no answer within 20 ms');
    expect(thrownAway).toEqual(['the silent one']);
    expect((await exportOnce(guarded)).code).toBe(ExportResultCode.SUCCESS);
  });

  it('answers after the shutdown, too', async () => {
    const guarded = guardedExporter(() => exporter((done) => done(success)), 20);
    await guarded.shutdown();
    expect((await exportOnce(guarded)).code).toBe(ExportResultCode.FAILED);
  });
});

describe('the report of lost spans', () => {
  it('is one line when it begins and one when it ends', async () => {
    const lines: string[] = [];
    const say = (_: object, message: string) => void lines.push(message);
    const results = [success, failure, failure, failure, success, success];
    const inner = exporter((done) => done(results.shift() ?? success));
    const reporting = reportingExporter(inner, 'http://jaeger:4318', { info: say, warn: say } as Pick<
      Logger,
      'info' | 'warn'
    >);
    for (let i = 0; i < 6; i += 1) await exportOnce(reporting);
    expect(lines).toEqual(['spans are lost: they cannot be sent', 'spans are sent again']);
  });
});
