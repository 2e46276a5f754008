import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';
import { type Dispatcher, errors } from 'undici';
import { injectContext, withSpan } from './tracing.ts';
import { UpstreamError } from './upstream-error.ts';

export interface OutgoingRequest {
  /** Sent as JSON, unless it is bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Where a request goes, and how long it may take from connecting to the last byte of the answer. */
export interface Target {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  readonly timeoutMs: number;
}

/** The most that is read of an answer. */
export const maxAnswerBytes = 1024 * 1024;

/**
 * One request and its whole answer, whatever its status, inside a client span whose context travels along.
 *
 * @throws UpstreamError when there is no answer, or it is too late or too large
 */
export function exchange(pool: Dispatcher, target: Target, request: OutgoingRequest): Promise<HttpAnswer> {
  const { method, path } = target;
  return withSpan(method, { kind: SpanKind.CLIENT, attributes: spanAttributes(target) }, async (span) => {
    try {
      return await answerOf(pool, target, request, span);
    } catch (error) {
      const code = isTimeout(error) ? 'upstream_timeout' : 'upstream_error';
      const reason = error instanceof Error ? error.message : String(error);
      throw new UpstreamError(code, `${method} ${path}: ${reason}`, { cause: error });
    }
  });
}

async function answerOf(
  pool: Dispatcher,
  { method, path, timeoutMs }: Target,
  request: OutgoingRequest,
  span: Span,
): Promise<HttpAnswer> {
  const outgoing = { path, method: method as Dispatcher.HttpMethod, ...prepared(request, timeoutMs) };
  injectContext(outgoing.headers);
  const answer = await pool.request(outgoing);
  const body = Buffer.from(await answer.body.arrayBuffer());
  span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, answer.statusCode);
  if (answer.statusCode >= 400) {
    span.setAttribute(ATTR_ERROR_TYPE, String(answer.statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  return { status: answer.statusCode, headers: answer.headers, body };
}

function prepared({ body, headers = {}, signal }: OutgoingRequest, timeoutMs: number) {
  const deadline = AbortSignal.timeout(timeoutMs);
  const bytes = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
  return {
    headers: { ...(typeof bytes === 'string' ? { 'content-type': 'application/json' } : {}), ...headers },
    signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
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

function spanAttributes({ origin, method, path }: Target) {
  const { hostname, port, protocol } = new URL(origin);
  return {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_SERVER_ADDRESS]: hostname,
    [ATTR_SERVER_PORT]: Number(port) || (protocol === 'https:' ? 443 : 80),
    [ATTR_URL_FULL]: `${origin}${path.split('?', 1)[0]}`,
  };
}
