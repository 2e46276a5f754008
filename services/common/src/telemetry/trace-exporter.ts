import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type BatchSpanProcessorOptions, ConsoleSpanExporter, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { jaegerExporter } from './jaeger-exporter.ts';
import { reportingExporter } from './reporting-exporter.ts';
import type { TelemetryConfig } from './telemetry-config.ts';

/** One export, in milliseconds; a collector that is slower loses the batch. */
const exportMs = 5_000;

/** The exporter that the environment asks for, which tells the log when it loses spans; undefined for `none`. */
export async function traceExporter(config: TelemetryConfig, log: Logger): Promise<SpanExporter | undefined> {
  switch (config.exporter) {
    case 'none':
      return undefined;
    case 'console':
      return new ConsoleSpanExporter();
    case 'otlp': {
      const url = `${config.otlpEndpoint}/v1/traces`;
      return reportingExporter(new OTLPTraceExporter({ url, timeoutMillis: exportMs }), url, log);
    }
    case 'jaeger': {
      const endpoint = config.jaegerEndpoint;
      return reportingExporter(await jaegerExporter({ endpoint, timeoutMs: exportMs }), endpoint, log);
    }
  }
}

/** How spans are batched: at most `maxQueueSize` wait in memory, whatever the collector does; more are dropped. */
export function batchOf({ exporter }: Pick<TelemetryConfig, 'exporter'>): Omit<BatchSpanProcessorOptions, 'exporter'> {
  return {
    maxQueueSize: 2048,
    // The Jaeger sender sends by itself at 100 spans, in the midst of a batch; below that, one batch is one request.
    maxExportBatchSize: exporter === 'jaeger' ? 99 : 512,
    scheduledDelayMillis: 1_000,
    exportTimeoutMillis: exportMs + 1_000,
  };
}
