import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** The one tracer of a process. Without telemetry loaded it records nothing and costs nothing. */
export function tracer() {
  return trace.getTracer('@microservice-platform/common');
}

/**
 * Runs `fn` inside a span, which ends with it. What `fn` throws is recorded on the span and thrown on.
 * The parent is the active span, or the remote one in `parent`.
 */
export async function withSpan<T>(
  name: string,
  options: { readonly kind: SpanKind; readonly attributes?: Attributes; readonly parent?: Context },
  fn: (span: Span) => Promise<T>,
): Promise<T> {
  const parent = options.parent ?? context.active();
  const span = tracer().startSpan(
    name,
    { kind: options.kind, ...(options.attributes ? { attributes: options.attributes } : {}) },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), () => fn(span));
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Marks a span as failed by `error`. */
export function failSpan(span: Span, error: unknown): void {
  const cause = error instanceof Error ? error : new Error(String(error));
  span.recordException(cause);
  span.setStatus({ code: SpanStatusCode.ERROR, message: cause.message });
}

/** Writes the active trace context into the headers of an outgoing request or message. */
export function injectContext(carrier: Record<string, string>): void {
  propagation.inject(context.active(), carrier);
}

/** The context that the headers of an incoming request or message carry; an empty one if they carry none. */
export function extractContext(carrier: Readonly<Record<string, unknown>>): Context {
  return propagation.extract(ROOT_CONTEXT, carrier);
}

/** The ids of the active span, named as log lines have them. */
export function traceIds(): { trace_id?: string; span_id?: string } {
  const active = trace.getActiveSpan()?.spanContext();
  return active === undefined || !isSpanContextValid(active)
    ? {}
    : { trace_id: active.traceId, span_id: active.spanId };
}
