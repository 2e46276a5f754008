import { type Dispatcher, Pool } from 'undici';
import type { Outcome } from './tally.ts';

/** One request, and what its answer must be. */
export interface Message {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Takes what is needed of the body; false when it is not what was asked for. */
  readonly accept: (body: Readonly<Record<string, unknown>>) => boolean;
}

/** What became of a request. */
export interface Ending {
  readonly outcome: Outcome;
  /** Of one that failed, for a person: what the answer said, or the connection. */
  readonly detail?: string;
}

/** The way into the shop. */
export interface Gateway {
  /** Sends one request; it is never repeated. */
  readonly send: (message: Message) => Promise<Ending>;
  readonly close: () => Promise<void>;
}

/** As long as the shop takes for an answer at most. */
const answerMs = 10_000;
const maxAnswerBytes = 1024 * 1024;
const maxDetail = 500;

/**
 * An idle connection is closed by us within a second, hence before a gateway that stops closes it (after its drain, of
 * five): a request that meets the end of its connection would be a failure of ours.
 */
const idleMs = 1_000;

/** Each request has a connection of its own, so that none waits here for another. */
export function gateway(url: string, maxInFlight: number): Gateway {
  const { origin, pathname } = new URL(url);
  const prefix = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connections: maxInFlight,
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
    maxResponseSize: maxAnswerBytes,
  });
  return {
    send: async (message) => {
      try {
        return await endingOf(message, await pool.request(requestOf(message, prefix)));
      } catch (error) {
        const late = error instanceof Error && /timeout/i.test(error.name);
        return { outcome: late ? 'timeout' : 'connection', detail: String(error) };
      }
    },
    close: () => pool.close(),
  };
}

function requestOf({ method, path, body, headers }: Message, prefix: string): Dispatcher.RequestOptions {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return {
    method,
    path: `${prefix}${path}`,
    headers: { ...json, ...headers },
    signal: AbortSignal.timeout(answerMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

async function endingOf({ status, accept }: Message, answer: Dispatcher.ResponseData): Promise<Ending> {
  const text = await answer.body.text();
  const detail = text.slice(0, maxDetail);
  if (answer.statusCode !== status) return { outcome: `status_${answer.statusCode}`, detail };
  const body = parsed(text);
  const accepted = typeof body === 'object' && body !== null && accept(body as Record<string, unknown>);
  return accepted ? { outcome: 'answered' } : { outcome: 'body', detail };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
