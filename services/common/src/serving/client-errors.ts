import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Problem, problemMediaType } from './problem.ts';

/** The request that a connection is busy with. */
export interface Exchange {
  readonly response: ServerResponse;
  /** Set when the connection was refused below fastify, for instance because the body came too slowly. */
  refusedAs?: number;
}

/** What each connection is busy with; written when a request's head has been read. */
export type Exchanges = WeakMap<Socket, Exchange>;

/**
 * Answers what never became a request, or stopped being one: bad HTTP, headers that are too large, a peer that is
 * too slow. The connection is closed after it.
 */
export function answerClientErrors(exchanges: Exchanges) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    const exchange = exchanges.get(socket);
    const answering = exchange?.response.headersSent === true && !exchange.response.writableEnded;
    if (error.code === 'ECONNRESET' || !socket.writable || answering) {
      socket.destroy();
      return;
    }
    const problem = problemOfClientError(error.code);
    if (exchange !== undefined) exchange.refusedAs = problem.status;
    socket.end(rawAnswer(problem), () => socket.destroy());
  };
}

function problemOfClientError(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem('request_timeout', 'the request did not arrive in time; send it faster or in smaller parts');
  }
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('invalid_request', 'the headers are too large');
  return new Problem('invalid_request', 'this is not a valid HTTP request');
}

function rawAnswer(problem: Problem): string {
  const body = JSON.stringify(problem.body());
  return [
    `HTTP/1.1 ${problem.status} ${problem.body().title}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
