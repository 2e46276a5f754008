import type { Verb } from '../../operator/src/cluster/transport.ts';

/** How often the operator asked the API server for one thing. */
export interface RequestCount {
  readonly verb: Verb;
  readonly kind: string;
  /** The HTTP status of the answers, or `none`. */
  readonly code: string;
  readonly count: number;
}

const line = /^microservice_platform_api_requests_total\{verb="(\w+)",kind="(\w+)",code="(\w+)"\} (\d+)$/gm;

/** All requests so far, as the operator's metrics tell them. */
export function requestsIn(metrics: string): readonly RequestCount[] {
  return [...metrics.matchAll(line)].map(([, verb = '', kind = '', code = '', count]) => ({
    verb: verb as Verb,
    kind,
    code,
    count: Number(count),
  }));
}

/** The requests that came between two readings. */
export function requestsSince(before: readonly RequestCount[], now: readonly RequestCount[]): readonly RequestCount[] {
  const known = new Map(before.map((each) => [idOf(each), each.count]));
  return now
    .map((each) => ({ ...each, count: each.count - (known.get(idOf(each)) ?? 0) }))
    .filter(({ count }) => count !== 0);
}

/** How many requests there are, of those that a predicate picks. */
export function total(requests: readonly RequestCount[], picks: (request: RequestCount) => boolean): number {
  return requests.filter(picks).reduce((sum, { count }) => sum + count, 0);
}

export const isRead = ({ verb }: RequestCount): boolean => verb === 'get' || verb === 'list';

export const isWrite = ({ verb }: RequestCount): boolean =>
  verb === 'create' || verb === 'apply' || verb === 'patch' || verb === 'delete';

/** A watch that is opened anew every few minutes reads nothing that was read before. */
export const isCall = (request: RequestCount): boolean => isRead(request) || isWrite(request);

/** Repeated, refused or without an answer. */
export const isInVain = (request: RequestCount): boolean => isCall(request) && !request.code.startsWith('2');

/** The value of a metric that has no labels. */
export function metricIn(metrics: string, name: string): number {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1];
  if (value === undefined) throw new Error(`the operator has no metric ${name}`);
  return Number(value);
}

const idOf = ({ verb, kind, code }: RequestCount) => `${verb} ${kind} ${code}`;
