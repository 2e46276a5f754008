import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

/** The one tracer of a process. Without telemetry loaded it records nothing and costs nothing. */
export function tracer() {
  return trace.getTracer('@microservice-platform/common');
}

export interface SpanOptions {
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
  /** The active context without one. */
  readonly parent?: Context;
  /** What the span deals with besides, each in a trace of its own. */
  readonly links?: Link[];
}

/**
 * Runs `fn` inside a span, which ends with it. What `fn` throws is recorded on the span and thrown on.
 * The parent is the active span, or the remote one in `parent`.
 */
export async function withSpan<T>(name: string, options: SpanOptions, fn: (span: Span) => Promise<T>): Promise<T> {
  const { parent = context.active(), ...rest } = options;
  const span = tracer().startSpan(name, rest, parent);
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

/** Whether what happens now is part of a span of ours that is kept; a probe's caller may have one, and we none. */
export function isTraced(): boolean {
  return trace.getActiveSpan()?.isRecording() === true;
}

/** The ids of the active span for others to point at; undefined when its trace is not kept. */
export function tracedIds(): { readonly trace_id: string; readonly span_id: string } | undefined {
  const active = trace.getActiveSpan()?.spanContext();
  if (active === undefined || (active.traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  return { trace_id: active.traceId, span_id: active.spanId };
}

/** A link to the span that these headers carry; none if they carry none. */
export function linksTo(carrier: Readonly<Record<string, unknown>>): Link[] {
  const linked = trace.getSpanContext(extractContext(carrier));
  return linked === undefined ? [] : [{ context: linked }];
}

/** The ids of the active span, named as log lines have them. */
export function traceIds(): { trace_id?: string; span_id?: string } {
  const active = trace.getActiveSpan()?.spanContext();
  return active === undefined || !isSpanContextValid(active)
    ? {}
    : { trace_id: active.traceId, span_id: active.spanId };
}
