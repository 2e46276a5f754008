import type { Registry } from 'prom-client';
import { Pool } from 'undici';
import { gaveUpHeader } from './deadline.ts';
import {
  exchange,
  type HttpAnswer,
  maxAnswerBytes,
  type Outgoing,
  type OutgoingRequest,
  type Target,
} from './http-exchange.ts';
import type { OutboundCall } from './outbound-call.ts';
import { type BreakerOptions, callPolicy, resilience } from './resilience.ts';
import { UpstreamError } from './upstream-error.ts';

export interface HttpClientOptions {
  readonly baseUrl: string;
  /** The service that is asked, as metrics and messages name it. */
  readonly name?: string;
  /** Where the calls are counted. */
  readonly registry?: Registry;
  /** For the whole call, retries included: connecting, asking, and the last byte of the answer. */
  readonly timeoutMs?: number;
  /** At most so many requests at once, each on a connection of its own; more are refused at once, not queued. */
  readonly maxConcurrent?: number;
  /** A connection is not used for new requests after so long, give or take a half: see {@link connectionsTo}. */
  readonly renewMs?: number;
  /** When the breaker opens, where that differs from {@link resilience}. */
  readonly breaker?: BreakerOptions;
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
const standardRenewMs = 30_000;

/** What the other side says of those behind it holds for us too. */
const codeOfStatus: Readonly<Record<number, UpstreamError['code']>> = { 503: 'unavailable', 504: 'upstream_timeout' };

/** Calls to one other service: pooled, under {@link resilience}, each with a client span whose context travels along. */
export function httpClient(options: HttpClientOptions): HttpClient {
  const { origin } = new URL(options.baseUrl);
  const pool = connectionsTo(origin, options);
  return clientOver(options, {
    begin: async () => (outgoing) => exchange(pool, { ...outgoing, target: { origin, ...outgoing.target } }),
    close: () => pool.close(),
  });
}

/** How requests get to the other side. */
export interface Route {
  /** Asked once for each call; what it gives makes every attempt of that call. @throws UpstreamError when there is nobody to ask */
  readonly begin: () => Promise<(outgoing: Undirected) => Promise<HttpAnswer>>;
  readonly close: () => Promise<void>;
}

/** A request that still lacks where it goes. */
export type Undirected = Omit<Outgoing, 'target'> & { readonly target: Omit<Target, 'origin'> };

/**
 * Connections to one address, opened when they are needed and renewed from time to time: what balances connections, as
 * a Service does, then has its say again, and an instance that is new gets its share. Not all clients at the same time.
 */
export function connectionsTo(origin: string, options: HttpClientOptions): Pool {
  const {
    timeoutMs = resilience.timeoutMs,
    maxConcurrent = resilience.maxConcurrent,
    renewMs = standardRenewMs,
  } = options;
  return new Pool(origin, {
    connections: maxConcurrent,
    maxResponseSize: maxAnswerBytes,
    clientTtl: Math.round(renewMs * (0.5 + Math.random())),
    connect: { timeout: Math.min(connectMs, timeoutMs) },
  });
}

/** Calls by that route, under one {@link resilience} policy. */
export function clientOver(options: HttpClientOptions, route: Route): HttpClient {
  const { origin, pathname, host } = new URL(options.baseUrl);
  const prefix = pathname.replace(/\/$/, '');
  const policy = callPolicy({ ...options, name: options.name ?? host, protocol: 'http' });

  const send: HttpClient['send'] = async (method, path, request = {}) => {
    const ask = await route.begin();
    const target = { method, path: `${prefix}${path}` };
    return policy.call({
      repeatable: isRepeatable(method, request),
      signal: request.signal,
      timeoutMs: request.timeoutMs,
      maxRetries: request.maxRetries,
      attempt: (limits) => ask({ target, request, limits }),
      judge,
    });
  };

  return {
    send,
    request: async (method, path, request) => {
      const answer = await send(method, path, request);
      if (answer.status < 200 || answer.status > 299) {
        const code = codeOfStatus[answer.status] ?? 'upstream_error';
        throw new UpstreamError(code, `${method} ${origin}${path} answered ${answer.status}`, answer);
      }
      return { ...answer, body: parsed(answer, `${method} ${origin}${path}`) };
    },
    close: route.close,
  };
}

/** Asking twice does the same as asking once: by the method, or since the other side knows the key again. */
function isRepeatable(method: string, { headers = {} }: OutgoingRequest): boolean {
  if (['GET', 'HEAD', 'PUT', 'DELETE'].includes(method)) return true;
  return Object.keys(headers).some((name) => name.toLowerCase() === 'idempotency-key');
}

const judge: OutboundCall<HttpAnswer>['judge'] = (settled) => {
  if (settled.status === 'rejected') {
    const { reason }: { reason: unknown } = settled;
    return reason instanceof UpstreamError && reason.code === 'upstream_timeout' ? 'late' : 'failed';
  }
  const { status, headers } = settled.value;
  if (status < 500) return 'answered';
  return headers[gaveUpHeader] === undefined ? 'failed' : 'failed_below';
};

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
