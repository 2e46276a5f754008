import type { Recording } from '../alert.ts';
import {
  callsTo,
  callTimesOf,
  failedCall,
  failedStatus,
  relabelled,
  requestsTo,
  service,
  timesOf,
} from '../selectors.ts';

/** Where a share of requests was bad, over windows of these lengths; the longer ones are made by the group `budget`. */
export const windows = ['5m', '30m', '1h', '2h', '6h'] as const;
export const longWindows = ['1d', '3d'] as const;

// Kept beyond a restart of the operator: a promise does not end with who wrote it down.
const objectives = (...matchers: readonly string[]) =>
  `last_over_time(microservice_platform_slo_objective{${['job="operator"', ...matchers].join(',')}}[10m])`;

const promised = (slo: string) => `and on (${service}) slo:objective:ratio{slo="${slo}"}`;

const rates = (...selectors: readonly string[]) =>
  `sum by (${service}) (${selectors.map((of) => `rate(${of}[5m])`).join(' or ')})`;

/** Those that were answered within the time that is promised. */
const inTime = (...selectors: readonly string[]) => {
  const byBucket = selectors.map((of) => `rate(${of}[5m])`).join(' or ');
  return `sum by (${service}) (sum by (${service}, le) (${byBucket}) and on (${service}, le) slo:latency_threshold:info)`;
};

const shareOf = (bad: string, all: string) => `${bad} / (${all} > 0)`;

/** What of the promised share was missed, in multiples of what may be missed. */
export const burnRate = (window: string): Recording => ({
  record: `slo:burn_rate:ratio_rate${window}`,
  expr: `slo:sli_error:ratio_rate${window} / on (${service}, slo) (1 - slo:objective:ratio)`,
});

/**
 * Requests, bad ones, and the share of these in windows of several lengths. Objectives are metrics of the operator, so the
 * rules are the same whatever teams promise. Long windows are sums of short ones, of bad requests and of all apart: so each
 * request weighs the same. Where nobody asks there is no share, and not one of 0.
 */
export const recordings: readonly Recording[] = [
  { record: 'slo:objective:ratio', expr: relabelled(objectives(), `${service}, slo`) },
  {
    record: 'slo:latency_threshold:info',
    // Prometheus writes the bounds of buckets as 1.0, and leaves the label of any other metric as it is.
    expr: `label_replace(${relabelled(objectives('slo="latency"'), `${service}, le`)}, "le", "$1.0", "le", "([0-9]+)")`,
  },
  {
    record: 'slo:requests:rate5m',
    expr: `${rates(requestsTo(), callsTo())} ${promised('availability')}`,
    labels: { slo: 'availability' },
  },
  {
    record: 'slo:errors:rate5m',
    expr: [
      `(${rates(requestsTo(failedStatus), callsTo(failedCall))} ${promised('availability')})`,
      `or 0 * sum by (${service}) (slo:requests:rate5m{slo="availability"})`,
    ].join('\n'),
    labels: { slo: 'availability' },
  },
  {
    record: 'slo:requests:rate5m',
    expr: `${rates(timesOf('count'), callTimesOf('count'))} ${promised('latency')}`,
    labels: { slo: 'latency' },
  },
  {
    record: 'slo:errors:rate5m',
    // Not below nothing: the count and the buckets of a histogram are scraped together, and extrapolated apart.
    expr: [
      `clamp_min(sum by (${service}) (slo:requests:rate5m{slo="latency"})`,
      `- on (${service}) ${inTime(timesOf('bucket'), callTimesOf('bucket'))}, 0)`,
    ].join('\n'),
    labels: { slo: 'latency' },
  },
  { record: 'slo:sli_error:ratio_rate5m', expr: shareOf('slo:errors:rate5m', 'slo:requests:rate5m') },
  burnRate('5m'),
  ...windows.slice(1).flatMap((window) => [
    {
      record: `slo:sli_error:ratio_rate${window}`,
      expr: shareOf(`sum_over_time(slo:errors:rate5m[${window}])`, `sum_over_time(slo:requests:rate5m[${window}])`),
    },
    burnRate(window),
  ]),
];
