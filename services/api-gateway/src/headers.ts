import type { IncomingHttpHeaders } from 'node:http';
import type { HttpAnswer } from '@microservice-platform/common';
import type { Caller } from './tokens.ts';

/**
 * What passes the gateway, by name; everything else is dropped, so that a caller cannot speak to a backend in the
 * gateway's name and a backend cannot leak what it runs on. Hop-by-hop headers are not in it by nature. The trace
 * context, the request id and the time that is left are set anew.
 */
const toBackend = ['accept', 'content-type', 'idempotency-key'] as const;
const toCaller = [
  'allow',
  'cache-control',
  'content-type',
  'deprecation',
  'etag',
  'idempotency-replayed',
  'link',
  'location',
  'retry-after',
  'sunset',
  'vary',
  'www-authenticate',
] as const;

/** The headers of a request to a backend. Who asks is the gateway's word alone, and not the caller's. */
export function requestHeaders(
  received: IncomingHttpHeaders,
  requestId: string,
  caller?: Caller,
): Record<string, string> {
  const asker = caller === undefined ? {} : { 'x-user-id': caller.subject, 'x-user-scopes': caller.scopes.join(' ') };
  return { ...chosen(received, toBackend), 'x-request-id': requestId, ...asker };
}

/** The headers of the answer to the caller. */
export function answerHeaders(received: HttpAnswer['headers']): Record<string, string> {
  return chosen(received, toCaller);
}

function chosen(
  received: Readonly<Record<string, string | readonly string[] | undefined>>,
  names: readonly string[],
): Record<string, string> {
  const entries = names.flatMap((name) => {
    const value = received[name];
    return value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')] as const];
  });
  return Object.fromEntries(entries);
}
