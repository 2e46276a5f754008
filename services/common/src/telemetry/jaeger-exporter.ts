import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { within } from '../serving/timeouts.ts';

/**
 * Jaeger's own protocol, Thrift over HTTP, by `@opentelemetry/exporter-jaeger`. That package gets no fixes any more, so
 * its faults are guarded here: it may call back twice or never (after a shutdown, or when the collector is silent),
 * and it keeps the connection of an unanswered request for ever.
 *
 * @throws Error when the optional package is not installed
 */
export async function jaegerExporter(options: { endpoint: string; timeoutMs: number }): Promise<SpanExporter> {
  const { JaegerExporter } = await loadPackage();
  const connect = (): SpanExporter => new JaegerExporter({ endpoint: options.endpoint });
  return guardedExporter(connect, options.timeoutMs);
}

async function loadPackage() {
  try {
    return await import('@opentelemetry/exporter-jaeger');
  } catch (error) {
    throw new Error(
      'OTEL_TRACES_EXPORTER is jaeger, but @opentelemetry/exporter-jaeger is not installed: install it, or use otlp',
      { cause: error },
    );
  }
}

/**
 * An exporter that answers every export exactly once and within `timeoutMs`. After a timeout the inner exporter is
 * thrown away with its connections, and the next export gets a new one.
 */
export function guardedExporter(connect: () => SpanExporter, timeoutMs: number): SpanExporter {
  let inner: SpanExporter | undefined;
  let closed = false;

  const discard = async () => {
    const old = inner;
    inner = undefined;
    await old?.shutdown().catch(() => undefined); // its connections are gone either way
  };
  const attempt = async (spans: ReadableSpan[]): Promise<ExportResult> => {
    if (closed) return { code: ExportResultCode.FAILED, error: new Error('the exporter is shut down') };
    inner ??= connect();
    try {
      return await within(timeoutMs, 'the collector', exported(inner, spans));
    } catch (error) {
      void discard();
      return {
        code: ExportResultCode.FAILED,
        error: error instanceof Error ? error : new Error(String(error)),
      };
    }
  };
  const answer = async (spans: ReadableSpan[], done: (result: ExportResult) => void) => done(await attempt(spans));
  return {
    export: (spans, done) => void answer(spans, done),
    forceFlush: async () => await inner?.forceFlush?.(),
    shutdown: async () => {
      closed = true;
      await discard();
    },
  };
}

/** A promise settles once, however often it is called back. */
function exported(exporter: SpanExporter, spans: ReadableSpan[]): Promise<ExportResult> {
  return new Promise((resolve) => exporter.export(spans, resolve));
}
