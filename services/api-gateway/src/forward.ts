import { type HttpAnswer, problemMediaType, UpstreamError } from '@microservice-platform/common';
import type { Answer, Asked } from './answer.ts';
import { answerHeaders, requestHeaders } from './headers.ts';
import { targetOf } from './matching.ts';

/**
 * Asks a backend what the gateway was asked, at the same path. Bodies pass as they are, unread.
 *
 * @throws UpstreamError when it does not answer, or fails without an account of its own
 */
export function forward(asked: Asked): Promise<Answer> {
  const { method, body } = asked.request;
  const path = targetOf(asked.request);
  return askBackend(asked, { backend: asked.route.backend as string, method, path, body });
}

export interface BackendRequest {
  readonly backend: string;
  readonly method: string;
  /** With the query, if there is one. */
  readonly path: string;
  readonly body?: unknown;
  /** Instead of what the caller accepts. */
  readonly accept?: string;
  /** Instead of what the route allows. */
  readonly timeoutMs?: number;
}

/** One request to a backend on behalf of `asked`. @throws as `forward` */
export async function askBackend(asked: Asked, { backend, method, path, ...rest }: BackendRequest): Promise<Answer> {
  const { generation, request, route, signal } = asked;
  const { body, accept, timeoutMs = route.timeoutMs } = rest;
  // An answer for all callers must not depend on one of them.
  const caller = route.cache?.shared === true ? undefined : request.caller;
  const headers = requestHeaders(request.headers, request.id, caller);
  const answer = await generation.client(backend).send(method, path, {
    headers: accept === undefined ? headers : { ...headers, accept },
    signal,
    timeoutMs,
    maxRetries: route.retries,
    ...(body instanceof Uint8Array ? { body } : {}),
  });
  if (answer.status >= 500 && !isProblem(answer)) {
    throw new UpstreamError('upstream_error', `${method} ${path} answered ${answer.status}`, answer);
  }
  return { status: answer.status, headers: answerHeaders(answer.headers), body: answer.body };
}

/** A backend's own account of what went wrong tells the caller more than ours could. */
export function isProblem({ headers }: Pick<HttpAnswer, 'headers'>): boolean {
  return String(headers['content-type'] ?? '').startsWith(problemMediaType);
}
