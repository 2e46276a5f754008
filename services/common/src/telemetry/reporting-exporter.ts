import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';

/**
 * Says once each when spans begin to be lost and when they arrive again: a dead collector is no storm of lines. A failure
 * without an error gets one, since the SDK counts by it.
 */
export function reportingExporter(
  inner: SpanExporter,
  target: string,
  log: Pick<Logger, 'info' | 'warn'>,
): SpanExporter {
  let failing = false;
  const withError = ({ code, error }: ExportResult): ExportResult =>
    code === ExportResultCode.SUCCESS ? { code } : { code, error: error ?? new Error('the collector took no spans') };
  const report = ({ code, error }: ExportResult) => {
    const failed = code !== ExportResultCode.SUCCESS;
    if (failed === failing) return;
    failing = failed;
    if (failed) log.warn({ target, reason: error?.message }, 'spans are lost: they cannot be sent');
    else log.info({ target }, 'spans are sent again');
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
