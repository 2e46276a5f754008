const microservices = 'job="microservices"';
/** Requests of users: those of machines that ask for health and metrics all day are none. */
const requests = `${microservices},endpoint!~"/metrics|/healthz|/readyz"`;

/** Requests a second, by labels; `which` narrows them down. */
export const rate = (by: string, which = '') =>
  `sum by (${by}) (rate(http_requests_total{${requests}${which}}[$__rate_interval]))`;

/** Requests a second that failed on our side, by labels: 0 where none did, nothing where there was no request. */
export const errors = (by: string, which = '') => `(${rate(by, `,status=~"5.."${which}`)} or ${rate(by, which)} * 0)`;

/** Share of the requests that failed on our side, by labels: 0 to 1, and 0 where there was no request. */
export const errorRatio = (by: string, which = '') =>
  `${errors(by, which)} / (${rate(by, which)} > 0) or ${rate(by, which)} * 0`;

/** Seconds within which a share of the requests was answered, by labels. */
export const duration = (share: number, by: string, which = '') =>
  `histogram_quantile(${share}, sum by (${['le', by].filter(Boolean).join(', ')}) (rate(http_request_duration_seconds_bucket{${requests}${which}}[$__rate_interval])))`;

/** How many requests fell into each bucket of duration. */
export const durationBuckets = (which = '') =>
  `sum by (le) (increase(http_request_duration_seconds_bucket{${requests}${which}}[$__rate_interval]))`;

/** Requests in progress on average, by labels: seconds of work that come in a second. */
export const inFlight = (by: string, which = '') =>
  `sum by (${by}) (rate(http_request_duration_seconds_sum{${requests}${which}}[$__rate_interval]))`;

/** 1 for a Microservice that is Ready, 0 for one that is not. The operator reports on others, hence the labels' names. */
export const ready = (which = '') =>
  `min by (namespace, service) (label_replace(label_replace(microservice_platform_microservice_ready{${which}}, "namespace", "$1", "exported_namespace", "(.+)"), "service", "$1", "name", "(.+)"))`;

/** A failure is 0 where nothing failed, and nothing only where nothing could: `all` says where there was anything. */
export const orZero = (failures: string, all: string) => `${failures} or ${all} * 0`;

/** A line at 0 where there is none at all: nothing that is counted has happened yet. */
export const orNothing = (expr: string) => `${expr} or (vector(0) unless on () ${expr})`;

/** The rate of a counter of the services, by labels; `which` narrows it down. */
export const perSecond = (name: string, by: string, which = '') =>
  `sum by (${by}) (rate(${name}{${[microservices, which].filter(Boolean).join(',')}}[$__rate_interval]))`;

/** A gauge of the services, by labels: the highest where several replicas tell of the same thing. */
export const highest = (name: string, by: string, which = '') =>
  `max by (${by}) (${name}{${[microservices, which].filter(Boolean).join(',')}})`;

/** Seconds within which a share of what a histogram of the services counts was done, by labels. */
export const within = (share: number, name: string, by = '', which = '') =>
  `histogram_quantile(${share}, ${perSecond(`${name}_bucket`, ['le', by].filter(Boolean).join(', '), which)})`;

/** Alerts that somebody should hear of and that fire now. */
export const firing = (which = '') => `ALERTS{alertstate="firing",severity=~"page|ticket"${which}}`;
