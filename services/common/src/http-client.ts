import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';
import { type Dispatcher, errors, Pool } from 'undici';
import { injectContext, withSpan } from './tracing.ts';
import { UpstreamError } from './upstream-error.ts';

export interface HttpClientOptions {
  readonly baseUrl: string;
  /** For the whole exchange: connecting, asking, and the last byte of the answer. */
  readonly timeoutMs?: number;
  /** At most so many requests at once, each on a connection of its own; more are refused at once, not queued. */
  readonly maxConcurrent?: number;
}

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

export interface HttpClient {
  /** The answer with its JSON body parsed. @throws UpstreamError for any status but 2xx, naming it, and as `send`. */
  readonly request: (
    method: string,
    path: string,
    request?: OutgoingRequest,
  ) => Promise<Omit<HttpAnswer, 'body'> & { readonly body: unknown }>;
  /** The answer, whatever its status. @throws UpstreamError when there is none, or it is too late or too large. */
  readonly send: (method: string, path: string, request?: OutgoingRequest) => Promise<HttpAnswer>;
  readonly close: () => Promise<void>;
}

const maxAnswerBytes = 1024 * 1024;
const connectMs = 2_000;

/** Calls to one other service: pooled, bounded, each with a client span whose context travels along. */
export function httpClient(options: HttpClientOptions): HttpClient {
  const { baseUrl, timeoutMs = 5_000, maxConcurrent = 64 } = options;
  const { origin, pathname } = new URL(baseUrl);
  const prefix = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connections: maxConcurrent,
    maxResponseSize: maxAnswerBytes,
    connect: { timeout: Math.min(connectMs, timeoutMs) },
  });
  let underWay = 0;

  const send: HttpClient['send'] = async (method, path, request = {}) => {
    if (underWay >= maxConcurrent) {
      throw new UpstreamError('unavailable', `${origin}: ${underWay} requests are under way already`);
    }
    underWay += 1;
    try {
      const attributes = spanAttributes(method, `${origin}${prefix}${path}`);
      return await withSpan(method, { kind: SpanKind.CLIENT, attributes }, (span) =>
        exchange(pool, { method, path: `${prefix}${path}`, ...outgoing(request, timeoutMs) }, span),
      );
    } finally {
      underWay -= 1;
    }
  };

  return {
    send,
    request: async (method, path, request) => {
      const answer = await send(method, path, request);
      if (answer.status < 200 || answer.status > 299) {
        throw new UpstreamError(
          'upstream_error',
          `${method} ${origin}${path} answered ${answer.status}`,
          answer,
        );
      }
      return { ...answer, body: parsed(answer, `${method} ${origin}${path}`) };
    },
    close: () => pool.close(),
  };
}

type Outgoing = Pick<Dispatcher.RequestOptions, 'body' | 'signal'> & {
  readonly headers: Record<string, string>;
};

function outgoing({ body, headers = {}, signal }: OutgoingRequest, timeoutMs: number): Outgoing {
  const deadline = AbortSignal.timeout(timeoutMs);
  const bytes = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
  return {
    headers: { ...(typeof bytes === 'string' ? { 'content-type': 'application/json' } : {}), ...headers },
    signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    ...(bytes === undefined ? {} : { body: bytes }),
  };
}

async function exchange(
  pool: Pool,
  request: Outgoing & { readonly method: string; readonly path: string },
  span: Span,
): Promise<HttpAnswer> {
  injectContext(request.headers);
  try {
    const answer = await pool.request({ ...request, method: request.method as Dispatcher.HttpMethod });
    const body = Buffer.from(await answer.body.arrayBuffer());
    span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, answer.statusCode);
    if (answer.statusCode >= 400) {
      span.setAttribute(ATTR_ERROR_TYPE, String(answer.statusCode));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    return { status: answer.statusCode, headers: answer.headers, body };
  } catch (error) {
    const code = isTimeout(error) ? 'upstream_timeout' : 'upstream_error';
    const reason = error instanceof Error ? error.message : String(error);
    throw new UpstreamError(code, `${request.method} ${request.path}: ${reason}`, { cause: error });
  }
}

function isTimeout(error: unknown): boolean {
  return (
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error instanceof Error && error.name === 'TimeoutError')
  );
}

function parsed({ body }: HttpAnswer, what: string): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new UpstreamError('upstream_error', `${what} answered something that is not JSON`, {
      cause: error,
    });
  }
}

function spanAttributes(method: string, url: string) {
  const { hostname, port, protocol, origin, pathname } = new URL(url);
  return {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_SERVER_ADDRESS]: hostname,
    [ATTR_SERVER_PORT]: Number(port) || (protocol === 'https:' ? 443 : 80),
    [ATTR_URL_FULL]: `${origin}${pathname}`,
  };
}
