import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { backoff } from '../support/backoff.ts';
import { type ApiStatus, failureOf, refusalOf, statusOf } from './answer.ts';
import type { Connection, TlsIdentity } from './connection.ts';
import { ClusterError } from './errors.ts';
import { fenced, notLeader } from './fence.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'apply' | 'patch' | 'delete';

export interface ApiRequest {
  readonly verb: Verb;
  /** The kind of object, for metrics. */
  readonly kind: string;
  /** For people: what the request is about, as in `Deployment shop/orders`. */
  readonly target: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly contentType?: string;
  /** In what form the answer is asked for; plain JSON when not stated. */
  readonly accept?: string | undefined;
  readonly body?: unknown;
  /** Whether it may be sent again when nobody knows if it was carried out. */
  readonly repeatable: boolean;
}

/** Told about every single request, repeated ones too; `code` is the HTTP status, or `none` without an answer. */
export type RequestObserver = (verb: Verb, kind: string, code: string, tookMs: number) => void;

export interface TransportOptions {
  /** The longest that a call may take, attempts and waits included. */
  readonly deadlineMs?: number;
  /** How many connections there may be at once, watches not counted. */
  readonly connections?: number;
  readonly observe?: RequestObserver;
  /** How it calls itself to the API server. */
  readonly userAgent?: string;
  /** Nothing is changed in the cluster after that moment, on the clock of `performance.now`. Default: no such moment. */
  readonly writesUntil?: () => number;
}

export interface StreamOptions {
  /** The stream fails when nothing came for so long. */
  readonly inactivityMs: number;
  readonly signal: AbortSignal;
  /** So many bytes are read before somebody asks for them. */
  readonly readAhead?: number;
}

const attempts = 5;
const betweenAttempts = { baseMs: 100, capMs: 2_000 };
/** The least that may be left of a deadline for another attempt to make sense. */
const shortestAttemptMs = 50;

/** Probes of an idle connection start after this, one a second, ten of them: a dead peer is found within 20 s. */
const keepAliveAfterMs = 10_000;

/**
 * Speaks HTTP/1.1 with the API server over few connections that are kept open: one pool for calls, one for
 * watches, so that watches never take a connection away from a call. Everything that fails throws a ClusterError.
 */
export class Transport {
  readonly #connection: Connection;
  readonly #calls: Agent;
  /** The same, with a fence around what changes something. */
  readonly #fencedCalls: Dispatcher;
  readonly #watches: Agent;
  readonly #deadlineMs: number;
  readonly #observe: RequestObserver;
  readonly #userAgent: string;
  readonly #writesUntil: () => number;
  /** The API server asked to be left alone until then (on the clock of `performance.now`). */
  #pausedUntil = 0;

  constructor(connection: Connection, options: TransportOptions = {}) {
    const {
      deadlineMs = 20_000,
      connections = 32,
      observe = () => {},
      userAgent = 'microservice-platform-operator',
      writesUntil = () => Number.POSITIVE_INFINITY,
    } = options;
    const connect = connector(connection);
    this.#connection = connection;
    this.#deadlineMs = deadlineMs;
    this.#observe = observe;
    this.#userAgent = userAgent;
    this.#writesUntil = writesUntil;
    // Idle connections are closed on this side first: the API server does so after 90 s.
    this.#calls = new Agent({ connect, connections, allowH2: false, pipelining: 1, keepAliveTimeout: 30_000 });
    this.#fencedCalls = this.#calls.compose(fenced(writesUntil));
    this.#watches = new Agent({ connect, allowH2: false, pipelining: 1, keepAliveTimeout: 1_000 });
  }

  /**
   * Sends a request and gives the JSON of the answer. Sends it again, within the deadline, where that is safe.
   * @throws ClusterError
   */
  async call(request: ApiRequest): Promise<unknown> {
    const until = Math.min(performance.now() + this.#deadlineMs, this.#end(request));
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#pause(request, until);
        this.#refuseLate(request);
        return await this.#attempt(request, body, until);
      } catch (error) {
        const delay = delayBeforeNext(error, request, attempt);
        if (delay === undefined || performance.now() + delay + shortestAttemptMs > until) throw error;
        await sleep(delay);
      }
    }
  }

  /**
   * Sends a request whose answer comes bit by bit, for as long as it lasts.
   * @throws ClusterError, also while the answer is read
   */
  async stream(
    request: ApiRequest,
    { inactivityMs, signal, readAhead }: StreamOptions,
  ): Promise<AsyncIterable<Buffer>> {
    await this.#pause(request, performance.now() + this.#deadlineMs);
    const answer = await this.#send(this.#watches, request, undefined, {
      signal,
      headersTimeout: inactivityMs,
      bodyTimeout: inactivityMs,
      ...(readAhead !== undefined && { highWaterMark: readAhead }),
    });
    if (answer.statusCode !== 200) throw this.#refused(request, answer, await textOf(request, answer));
    return chunksOf(request, answer.body);
  }

  /** Closes every connection; calls under way get `withinMs` to finish. */
  async close(withinMs: number): Promise<void> {
    if (this.#calls.destroyed) return;
    await this.#watches.destroy();
    const closed = this.#calls.close();
    await Promise.race([closed, sleep(withinMs, undefined, { ref: false })]);
    await this.#calls.destroy();
  }

  /** When a request has to be over whatever its deadline. */
  #end({ method }: ApiRequest): number {
    return method === 'GET' ? Number.POSITIVE_INFINITY : this.#writesUntil();
  }

  /** @throws ClusterError when the request would change something, and this operator is to change nothing now */
  #refuseLate(request: ApiRequest): void {
    if (performance.now() < this.#end(request)) return;
    throw new ClusterError('unavailable', `${whatOf(request)}: unavailable: ${notLeader}`);
  }

  /**
   * Waits out the pause that the API server asks for, also one that it makes longer meanwhile.
   * @throws ClusterError when it ends after `until`
   */
  async #pause(request: ApiRequest, until: number): Promise<void> {
    for (let ms = this.#pauseMs(); ms > 0; ms = this.#pauseMs()) {
      if (performance.now() + ms > until) {
        const why = `the API server asked to wait another ${Math.ceil(ms / 1000)} s`;
        throw new ClusterError('unavailable', `${whatOf(request)}: unavailable: ${why}`, { retryAfterMs: ms });
      }
      await sleep(ms);
    }
  }

  #pauseMs(): number {
    return this.#pausedUntil - performance.now();
  }

  async #attempt(request: ApiRequest, body: string | undefined, until: number): Promise<unknown> {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(until - performance.now())));
    const answer = await this.#send(this.#fencedCalls, request, body, { signal });
    const text = await textOf(request, answer);
    if (answer.statusCode >= 300) throw this.#refused(request, answer, text);
    return parse(request, text);
  }

  /** Sends a request once, twice if the token turns out to be an old one. */
  async #send(
    agent: Dispatcher,
    request: ApiRequest,
    body: string | undefined,
    options: Partial<Dispatcher.RequestOptions>,
  ): Promise<Dispatcher.ResponseData> {
    const authorization = await this.#connection.authorization();
    const answer = await this.#exchange(agent, request, body, authorization, options);
    if (answer.statusCode !== 401) return answer;
    const renewed = await this.#connection.authorization({ renewed: true });
    if (renewed === authorization) return answer;
    await answer.body.dump();
    return this.#exchange(agent, request, body, renewed, options);
  }

  async #exchange(
    agent: Dispatcher,
    request: ApiRequest,
    body: string | undefined,
    authorization: string | undefined,
    options: Partial<Dispatcher.RequestOptions>,
  ): Promise<Dispatcher.ResponseData> {
    const { server } = this.#connection;
    const start = performance.now();
    let code = 'none';
    try {
      const answer = await agent.request({
        origin: server.origin,
        path: server.pathname.replace(/\/$/, '') + request.path,
        method: request.method,
        headers: {
          accept: request.accept ?? 'application/json',
          'user-agent': this.#userAgent,
          ...(authorization && { authorization }),
          ...(body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
        },
        body: body ?? null,
        ...options,
      });
      code = String(answer.statusCode);
      return answer;
    } catch (error) {
      throw failureOf(whatOf(request), error);
    } finally {
      this.#observe(request.verb, request.kind, code, performance.now() - start);
    }
  }

  #refused(request: ApiRequest, answer: Dispatcher.ResponseData, text: string): ClusterError {
    const status: ApiStatus = statusOf(answer.statusCode, text);
    const error = refusalOf(whatOf(request), status, answer.headers['retry-after']);
    if (answer.statusCode === 429 && error.retryAfterMs !== undefined) {
      this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + error.retryAfterMs);
    }
    return error;
  }
}

const whatOf = ({ verb, target }: ApiRequest) => `${verb} ${target}`;

/** Milliseconds until a failed request may be sent again; undefined when it may not, or not by this call. */
function delayBeforeNext(error: unknown, request: ApiRequest, attempt: number): number | undefined {
  if (!(error instanceof ClusterError) || error.kind !== 'unavailable' || attempt === attempts) return undefined;
  const notCarriedOut = error.cause !== undefined && wasNotCarriedOut(error.cause);
  if (!request.repeatable && !notCarriedOut) return undefined;
  return Math.max(error.retryAfterMs ?? 0, backoff(attempt, betweenAttempts));
}

/** Whether it is certain that a request had no effect: it was turned away at the door or never got there. */
function wasNotCarriedOut(cause: unknown): boolean {
  const { code } = cause as { readonly code?: number | string };
  return code === 429 || code === 'ECONNREFUSED' || code === 'UND_ERR_CONNECT_TIMEOUT';
}

async function textOf(request: ApiRequest, answer: Dispatcher.ResponseData): Promise<string> {
  try {
    return await answer.body.text();
  } catch (error) {
    throw failureOf(whatOf(request), error);
  }
}

function parse(request: ApiRequest, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The words of the JSON parser are left out: they quote the answer, and so whatever secret may be in it.
    throw failureOf(whatOf(request), new Error('the answer is not JSON'));
  }
}

async function* chunksOf(request: ApiRequest, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw failureOf(whatOf(request), error);
  }
}

/** Opens connections with the identity of that moment; TLS sessions are resumed as long as it stays the same. */
function connector(connection: Connection): buildConnector.connector {
  const settings = {
    timeout: 5_000,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveAfterMs,
    allowH2: false,
  };
  let tls: TlsIdentity | undefined;
  let connect: buildConnector.connector;
  return (options, callback) => {
    if (tls !== connection.tls) {
      tls = connection.tls;
      connect = buildConnector({ ...tls, ...settings });
    }
    connect(options, callback);
  };
}
