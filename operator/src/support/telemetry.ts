import { type Attributes, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR_HTTP_RESPONSE_STATUS_CODE, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { Tracing } from './tracing.ts';

export interface TelemetryOptions {
  /** Takes OTLP over HTTP; the path /v1/traces is added to it. */
  readonly endpoint: string;
  /** Names this process among operators. */
  readonly instance: string;
  /** Told of spans that could not be sent. */
  readonly onLost: (spans: number, reason: string) => void;
}

/** A collector that is slower than this loses the batch. */
const exportMs = 5_000;
/** So many spans wait in memory; more are dropped. */
const mostSpans = 2_048;

/**
 * Traces, sent to a collector; what becomes of them there holds up no pass. Loaded only where they are asked for: it takes
 * memory that nobody else needs.
 */
export function openTracing({ endpoint, instance, onLost }: TelemetryOptions): Tracing {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: 'microservice-platform-operator',
      'service.instance.id': instance,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: reporting(new OTLPTraceExporter({ url, timeoutMillis: exportMs }), onLost),
        maxQueueSize: mostSpans,
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: exportMs + 1_000,
      }),
    ],
  });
  const tracer = provider.getTracer('@microservice-platform/operator');
  return {
    pass: async (namespace, name, work) => {
      const attributes: Attributes = { 'k8s.namespace.name': namespace, 'microservice.name': name };
      const span = tracer.startSpan('reconcile', { kind: SpanKind.INTERNAL, attributes });
      try {
        return await context.with(trace.setSpan(context.active(), span), work);
      } catch (error) {
        fail(span, error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        span.end();
      }
    },
    request: (verb, kind, code, tookMs) => {
      const parent = context.active();
      if (trace.getSpan(parent) === undefined) return;
      const end = Date.now();
      const attributes: Attributes = code === 'none' ? {} : { [ATTR_HTTP_RESPONSE_STATUS_CODE]: Number(code) };
      const options = { kind: SpanKind.CLIENT, attributes, startTime: end - tookMs };
      const span = tracer.startSpan(`${verb} ${kind}`, options, parent);
      if (!code.startsWith('2')) fail(span, code === 'none' ? 'no answer' : `HTTP ${code}`);
      span.end(end);
    },
    close: async (withinMs) => {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, withinMs);
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

function fail(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** The same exporter, that also tells of what it could not send. */
function reporting(exporter: SpanExporter, onLost: TelemetryOptions['onLost']): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined) onLost(spans.length, result.error.message);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}
