import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';

/** A request that is being answered, as the calls made on its behalf see it. */
export interface Answering {
  /** When nobody waits for the answer any more, on the clock of `performance.now`. */
  readonly endsAt: number;
  /** It was asked before: whoever asks repeats already, so the calls made for it are not repeated. */
  readonly repeated: boolean;
  /** A call made for it was given up: it was repeated as often as it may be, so asking from above again is no use. */
  gaveUp: boolean;
}

/** What is left of the caller's time, in milliseconds. */
const timeHeader = 'x-request-timeout-ms';
/** Which attempt this is; absent on the first. */
const attemptHeader = 'x-request-attempt';
/** On a 5xx answer: what failed is further below, and was repeated there. */
export const gaveUpHeader = 'x-already-retried';

/** Kept back from the calls of a request, so that what came of them can still be told in time. */
const marginMs = 250;

const answering = new AsyncLocalStorage<Answering | undefined>();

/** A request just received, which has `ownMs` at most and less if its caller says so. */
export function received(headers: IncomingHttpHeaders, ownMs: number): Answering & { readonly answerMs: number } {
  const given = headers[timeHeader];
  const answerMs = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Math.min(Number(given), ownMs) : ownMs;
  const repeated = headers[attemptHeader] !== undefined;
  return { answerMs, endsAt: performance.now() + answerMs, repeated, gaveUp: false };
}

/** Runs `work` as part of answering `request`. */
export function whileAnswering<T>(request: Answering, work: () => T): T {
  return answering.run(request, work);
}

/** The request on whose behalf this runs, if there is one. */
export function currentRequest(): Answering | undefined {
  return answering.getStore();
}

/**
 * Runs `work` with `ms` of its own, whatever request it was started by: for what goes on after the answer. Without
 * `ms` it has no deadline but those of its single calls.
 */
export function withDeadline<T>(ms: number | undefined, work: () => T): T {
  if (ms === undefined) return answering.run(undefined, work);
  return answering.run({ endsAt: performance.now() + ms, repeated: false, gaveUp: false }, work);
}

/** How long a call may take that has `ownMs` at most: no longer than the running request can wait for it. */
export function timeForCall(ownMs: number): number {
  const request = currentRequest();
  return request === undefined ? ownMs : Math.min(ownMs, request.endsAt - performance.now() - marginMs);
}

/** The headers that tell the other side how long we wait, and whether it is asked again. */
export function callHeaders(timeoutMs: number, attempt: number): Record<string, string> {
  const repeated = attempt > 0 || currentRequest()?.repeated === true;
  return {
    [timeHeader]: String(Math.max(1, Math.floor(timeoutMs))),
    ...(repeated ? { [attemptHeader]: String(attempt + 1) } : {}),
  };
}
