import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_RESEND_COUNT,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';
import { type Dispatcher, errors } from 'undici';
import { injectContext, withSpan } from '../telemetry/tracing.ts';
import { callHeaders } from './deadline.ts';
import type { Limits, OutboundCall } from './outbound-call.ts';
import { UpstreamError } from './upstream-error.ts';

export interface OutgoingRequest {
  /** Sent as JSON, unless it is bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** As for any outbound call. */
  readonly timeoutMs?: OutboundCall<unknown>['timeoutMs'];
  readonly maxRetries?: OutboundCall<unknown>['maxRetries'];
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Where a request goes. */
export interface Target {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
}

/** The most that is read of an answer. */
export const maxAnswerBytes = 1024 * 1024;

/** A request on its way. `limits` hold from connecting to the last byte of the answer. */
export interface Outgoing {
  readonly target: Target;
  readonly request: OutgoingRequest;
  readonly limits: Limits;
}

/**
 * One request and its whole answer, whatever its status, inside a client span whose context travels along, as does
 * the time that is left.
 *
 * @throws UpstreamError when there is no answer, or it is too late or too large
 */
export function exchange(pool: Dispatcher, outgoing: Outgoing): Promise<HttpAnswer> {
  const { method, path } = outgoing.target;
  return withSpan(method, { kind: SpanKind.CLIENT, attributes: spanAttributes(outgoing) }, async (span) => {
    try {
      return await answerOf(pool, outgoing, span);
    } catch (error) {
      const code = isTimeout(error) ? 'upstream_timeout' : 'upstream_error';
      const reason = error instanceof Error ? error.message : String(error);
      span.setAttribute(ATTR_ERROR_TYPE, code);
      throw new UpstreamError(code, `${method} ${path}: ${reason}`, { cause: error });
    }
  });
}

async function answerOf(pool: Dispatcher, outgoing: Outgoing, span: Span): Promise<HttpAnswer> {
  const { method, path } = outgoing.target;
  const options = { path, method: method as Dispatcher.HttpMethod, ...prepared(outgoing) };
  injectContext(options.headers);
  const answer = await pool.request(options);
  const body = Buffer.from(await answer.body.arrayBuffer());
  span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, answer.statusCode);
  if (answer.statusCode >= 400) {
    span.setAttribute(ATTR_ERROR_TYPE, String(answer.statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  return { status: answer.statusCode, headers: answer.headers, body };
}

function prepared({ request: { body, headers = {} }, limits: { signal, timeoutMs, attempt } }: Outgoing) {
  const bytes = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
  const type: Record<string, string> = typeof bytes === 'string' ? { 'content-type': 'application/json' } : {};
  return {
    headers: { ...type, ...headers, ...callHeaders(timeoutMs, attempt) },
    signal,
    ...(bytes === undefined ? {} : { body: bytes }),
  };
}

function isTimeout(error: unknown): boolean {
  return (
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error instanceof Error && error.name === 'TimeoutError')
  );
}

function spanAttributes({ target: { origin, method, path }, limits: { attempt } }: Outgoing) {
  const { hostname, port, protocol } = new URL(origin);
  return {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_SERVER_ADDRESS]: hostname,
    [ATTR_SERVER_PORT]: Number(port) || (protocol === 'https:' ? 443 : 80),
    [ATTR_URL_FULL]: `${origin}${path.split('?', 1)[0]}`,
    ...(attempt === 0 ? {} : { [ATTR_HTTP_REQUEST_RESEND_COUNT]: attempt }),
  };
}
