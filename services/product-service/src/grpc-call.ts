import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  extractContext,
  failSpan,
  type Log,
  type Problem,
  problemCodeKey,
  problemOf,
  SpanKind,
  statusOf,
  withSpan,
} from '@microservice-platform/common';

import type { EndedCall } from './grpc-metrics.ts';

/** What unary and streaming calls have in common. */
interface Call {
  readonly metadata: Metadata;
  readonly getPath: () => string;
  readonly once: (event: 'cancelled', listener: () => void) => unknown;
}

/** Who learns how a call ended. */
export interface Observers {
  readonly log: Log;
  readonly observe: (call: EndedCall) => void;
}

export type Outcome<T> =
  | { readonly answer: T; readonly error?: undefined }
  /** What the caller is to be told: status, detail, and the exact code beside them. */
  | { readonly answer?: undefined; readonly error: ServiceError };

/**
 * Runs one call inside its server span, a child of the caller's, counts it, and logs how it ended. The signal is aborted once
 * nobody waits for the answer: the caller has cancelled or left, or its deadline has passed.
 */
export async function served<T>(
  call: Call,
  { log, observe }: Observers,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Outcome<T>> {
  const started = performance.now();
  const abandoned = new AbortController();
  call.once('cancelled', () => abandoned.abort(new Error('the caller has left')));
  const method = call.getPath().slice(1);
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method };
  const parent = extractContext(headersOf(call.metadata));
  const logEnd = (code: status) => {
    const ms = performance.now() - started;
    observe({ method, status: status[code], seconds: ms / 1000 });
    log.info({ method, status: status[code], duration_ms: Math.round(ms * 100) / 100 }, 'call');
  };

  return withSpan(method, { kind: SpanKind.SERVER, attributes, parent }, async (span) => {
    try {
      const answer = await work(abandoned.signal);
      span.setAttribute('rpc.response.status_code', 'OK');
      logEnd(status.OK);
      return { answer };
    } catch (thrown) {
      const problem = problemOf(thrown);
      const callerLeft = abandoned.signal.aborted;
      // Only our own faults fail the span: not an honest "no", nor what broke off because the caller left.
      if (problem.status >= 500 && !callerLeft) {
        const cause = problem.cause ?? problem;
        log.error({ err: cause, method, code: problem.code }, 'call failed');
        failSpan(span, cause);
        span.setAttribute('error.type', problem.code);
      }
      const code = callerLeft ? status.CANCELLED : statusOf(problem.code);
      span.setAttribute('rpc.response.status_code', status[code] ?? code);
      logEnd(code);
      return { error: serviceError(problem) };
    }
  });
}

function serviceError(problem: Problem): ServiceError {
  const metadata = new Metadata();
  metadata.set(problemCodeKey, problem.code);
  const details = problem.message;
  return Object.assign(new Error(details), { code: statusOf(problem.code), details, metadata });
}

function headersOf(metadata: Metadata): Record<string, string> {
  const entries = Object.entries(metadata.getMap());
  return Object.fromEntries(entries.map(([name, value]) => [name, value.toString()]));
}
