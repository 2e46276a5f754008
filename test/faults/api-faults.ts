import type { Mishap } from './proxy.ts';

/** How long the API server asks to be left alone, where it does. */
export const retryAfterS = 2;

/** Everything that can become of one request between an operator and its API server. */
export const apiFaults: Readonly<Record<string, Mishap>> = {
  '409 Conflict': { kind: 'answer', status: 409, reason: 'Conflict' },
  '409 AlreadyExists': { kind: 'answer', status: 409, reason: 'AlreadyExists' },
  '404': { kind: 'answer', status: 404, reason: 'NotFound' },
  '422': { kind: 'answer', status: 422, reason: 'Invalid' },
  '429 with Retry-After': { kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfterS },
  '500': { kind: 'answer', status: 500, reason: 'InternalError' },
  '503': { kind: 'answer', status: 503, reason: 'ServiceUnavailable' },
  '504 after the commit': { kind: 'answer', status: 504, reason: 'Timeout', after: true },
  'reset before the commit': { kind: 'reset' },
  'reset after the commit': { kind: 'reset', after: true },
  stall: { kind: 'stall' },
  '401': { kind: 'answer', status: 401, reason: 'Unauthorized' },
  '403': { kind: 'answer', status: 403, reason: 'Forbidden' },
};

/** @throws Error when there is none of that name */
export function apiFaultOf(name: string): Mishap {
  const found = apiFaults[name];
  if (found === undefined) throw new Error(`there is no fault of the API server ${name}`);
  return found;
}
