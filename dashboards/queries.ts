/** Requests of users: those of machines that ask for health and metrics all day are none. */
const requests = 'job="microservices",endpoint!~"/metrics|/healthz|/readyz"';

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

/** Requests in progress on average, by labels: seconds of work that come in a second. */
export const inFlight = (by: string, which = '') =>
  `sum by (${by}) (rate(http_request_duration_seconds_sum{${requests}${which}}[$__rate_interval]))`;

/** 1 for a Microservice that is Ready, 0 for one that is not. The operator reports on others, hence the labels' names. */
export const ready = (which = '') =>
  `min by (namespace, service) (label_replace(label_replace(microservice_platform_microservice_ready{${which}}, "namespace", "$1", "exported_namespace", "(.+)"), "service", "$1", "name", "(.+)"))`;
