import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';

/**
 * Says on stderr, once each, when spans begin to be lost and when they arrive again: a dead collector is no storm of
 * lines. A failure without an error gets one, since the SDK counts by it.
 */
export function reportingExporter(
  inner: SpanExporter,
  target: string,
  write: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): SpanExporter {
  let failing = false;
  const withError = ({ code, error }: ExportResult): ExportResult =>
    code === ExportResultCode.SUCCESS ? { code } : { code, error: error ?? new Error('the collector took no spans') };
  const report = ({ code, error }: ExportResult) => {
    const failed = code !== ExportResultCode.SUCCESS;
    if (failed === failing) return;
    failing = failed;
    const time = new Date().toISOString();
    write(
      failed
        ? JSON.stringify({
            level: 'warn',
            time,
            msg: 'spans are lost: they cannot be sent',
            target,
            reason: error?.message,
          })
        : JSON.stringify({ level: 'info', time, msg: 'spans are sent again', target }),
    );
  };
  return {
    export: (spans, done) =>
      inner.export(spans, (result) => {
        const told = withError(result);
        report(told);
        done(told);
      }),
    shutdown: () => inner.shutdown(),
    ...(inner.forceFlush === undefined ? {} : { forceFlush: () => inner.forceFlush?.() ?? Promise.resolve() }),
  };
}
