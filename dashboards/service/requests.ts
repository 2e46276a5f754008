import type { Row } from '../dashboard.ts';
import { heatmap } from '../heatmap.ts';
import { chosenPlace, searchLogs, searchTraces } from '../links.ts';
import { lines } from '../panel.ts';
import { duration, durationBuckets, errors, rate } from '../queries.ts';
import { which } from './chosen.ts';

const links = [searchTraces('${service}'), searchLogs(chosenPlace)];
const legend = '{{method}} {{endpoint}}';

/** Rate, errors and duration: what the service does for its callers. */
export const requests: Row = {
  title: 'Rate, errors, duration',
  panels: [
    lines({
      title: 'Requests by endpoint',
      description: 'Answered requests a second, by the template of their route.',
      unit: 'reqps',
      queries: [{ expr: rate('method, endpoint', which), legend }],
      links,
      width: 8,
    }),
    lines({
      title: 'Requests by status',
      description: 'Answered requests a second, by HTTP status. 499: the caller left before the answer.',
      unit: 'reqps',
      queries: [{ expr: rate('status', which), legend: '{{status}}' }],
      links,
      width: 8,
    }),
    lines({
      title: 'Errors by endpoint',
      description: 'Requests a second that were answered with 500 or above.',
      unit: 'reqps',
      queries: [{ expr: errors('method, endpoint', which), legend }],
      links,
      width: 8,
    }),
    lines({
      title: 'Duration',
      description:
        'Time within which 50, 95 and 99 of 100 requests were answered. A dot is a request: it leads to its trace.',
      unit: 's',
      queries: [0.5, 0.95, 0.99].map((share) => ({
        expr: duration(share, '', which),
        legend: `${share * 100} %`,
        exemplar: true,
      })),
      links,
      width: 8,
    }),
    heatmap({
      title: 'Durations',
      description: 'How many requests took how long. Two bands tell of two ways to answer; a dot leads to its trace.',
      unit: 's',
      queries: [{ expr: durationBuckets(which), legend: '{{le}}', exemplar: true }],
      links,
      width: 8,
    }),
    lines({
      title: 'Duration by endpoint, 95 %',
      description: 'Which route is slow: the time within which 95 of 100 of its requests were answered.',
      unit: 's',
      queries: [{ expr: duration(0.95, 'method, endpoint', which), legend, exemplar: true }],
      links,
      width: 8,
    }),
  ],
};
