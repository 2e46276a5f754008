/** Asked for all day by machines: their answers say nothing of what people get. */
const quiet = 'endpoint!~"/healthz|/readyz|/metrics"';

/** Answers that last as long as somebody follows them. */
const followed = 'endpoint!~".*/events"';

/** What a team promises holds for these: the requests of others to a service. `more` are further matchers. */
export const requestsTo = (...more: readonly string[]) => selector('http_requests_total', quiet, ...more);

/** The times of those requests, streams left out; `part` is that of a histogram: bucket or count. */
export const timesOf = (part: 'bucket' | 'count') => selector(`http_request_duration_seconds_${part}`, quiet, followed);

export const callsTo = (...more: readonly string[]) => selector('grpc_requests_total', ...more);
export const callTimesOf = (part: 'bucket' | 'count') => selector(`grpc_request_duration_seconds_${part}`);

/** A metric of the services. */
export function selector(metric: string, ...matchers: readonly string[]): string {
  return `${metric}{${['job="microservices"', ...matchers].join(',')}}`;
}

/** The fault is the server's, by HTTP and by gRPC. */
export const failedStatus = 'status=~"5.."';
export const failedCall = 'status=~"UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"';

/** Of a Microservice, whichever pod says so. */
export const service = 'namespace, service';

/**
 * What the operator exports of Microservices, under the labels that their own metrics have. Prometheus puts the operator's
 * namespace in the label of that name, and calls the one that was there exported_namespace.
 */
export function ofMicroservices(metric: string, by: string, ...matchers: readonly string[]): string {
  const from = `${metric}{${['job="operator"', ...matchers].join(',')}}`;
  return relabelled(from, by);
}

/** The same of any expression that has the operator's labels. */
export function relabelled(expr: string, by: string): string {
  const named = `label_replace(${expr}, "namespace", "$1", "exported_namespace", "(.+)")`;
  return `max by (${by}) (label_replace(${named}, "service", "$1", "name", "(.+)"))`;
}
