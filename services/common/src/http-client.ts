import { Pool } from 'undici';
import { exchange, type HttpAnswer, maxAnswerBytes, type OutgoingRequest } from './http-exchange.ts';
import { UpstreamError } from './upstream-error.ts';

export interface HttpClientOptions {
  readonly baseUrl: string;
  /** For the whole exchange: connecting, asking, and the last byte of the answer. */
  readonly timeoutMs?: number;
  /** At most so many requests at once, each on a connection of its own; more are refused at once, not queued. */
  readonly maxConcurrent?: number;
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
      return await exchange(pool, { origin, method, path: `${prefix}${path}`, timeoutMs }, request);
    } finally {
      underWay -= 1;
    }
  };

  return {
    send,
    request: async (method, path, request) => {
      const answer = await send(method, path, request);
      if (answer.status < 200 || answer.status > 299) {
        throw new UpstreamError('upstream_error', `${method} ${origin}${path} answered ${answer.status}`, answer);
      }
      return { ...answer, body: parsed(answer, `${method} ${origin}${path}`) };
    },
    close: () => pool.close(),
  };
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
