import { choice, dashboard, type Row } from './dashboard.ts';
import { lines, number, readiness, searchTraces, traceTable } from './panel.ts';
import { duration, errorRatio, errors, inFlight, rate, ready } from './queries.ts';

const chosen = 'namespace="$namespace",service="$service"';
const which = `,${chosen}`;
const ofJob = `job="microservices",${chosen}`;
const links = [searchTraces('${service}')];

const state: Row = {
  title: 'Now',
  panels: [
    number({
      title: 'Ready',
      description: 'Whether the Microservice is Ready; where it is not, its status says why.',
      words: readiness,
      unit: 'none',
      queries: [{ expr: ready('exported_namespace="$namespace",name="$service"') }],
      links,
      width: 4,
    }),
    number({
      title: 'Pods that answer',
      description: 'Pods whose metrics can be read.',
      unit: 'none',
      queries: [{ expr: `sum(up{${ofJob}})` }],
      links,
      width: 4,
    }),
    number({
      title: 'Requests',
      description: 'Answered requests a second, without those for health and metrics.',
      unit: 'reqps',
      queries: [{ expr: `sum(${rate('service', which)}) or vector(0)` }],
      links,
      width: 4,
    }),
    number(
      {
        title: 'Errors',
        description: 'Share of the requests that were answered with 500 or above.',
        unit: 'percentunit',
        queries: [{ expr: `${errorRatio('service', which)} or vector(0)` }],
        links,
        width: 6,
      },
      0.01,
    ),
    number({
      title: 'Duration, 95 %',
      description: 'Time within which 95 of 100 requests were answered.',
      unit: 's',
      queries: [{ expr: duration(0.95, '', which) }],
      links,
      width: 6,
    }),
  ],
};

const red: Row = {
  title: 'Rate, errors, duration',
  panels: [
    lines({
      title: 'Requests by endpoint',
      description: 'Answered requests a second, by the template of their route.',
      unit: 'reqps',
      queries: [{ expr: rate('method, endpoint', which), legend: '{{method}} {{endpoint}}' }],
      links,
      width: 12,
    }),
    lines({
      title: 'Requests by status',
      description: 'Answered requests a second, by HTTP status. 499: the caller left before the answer.',
      unit: 'reqps',
      queries: [{ expr: rate('status', which), legend: '{{status}}' }],
      links,
      width: 12,
    }),
    lines({
      title: 'Errors by endpoint',
      description: 'Requests a second that were answered with 500 or above.',
      unit: 'reqps',
      queries: [{ expr: errors('method, endpoint', which), legend: '{{method}} {{endpoint}}' }],
      links,
      width: 8,
    }),
    lines({
      title: 'Duration',
      description: 'Time within which 50, 95 and 99 of 100 requests were answered.',
      unit: 's',
      queries: [0.5, 0.95, 0.99].map((share) => ({ expr: duration(share, '', which), legend: `${share * 100} %` })),
      links,
      width: 8,
    }),
    lines({
      title: 'Duration by endpoint, 95 %',
      description: 'Which route is slow: the time within which 95 of 100 of its requests were answered.',
      unit: 's',
      queries: [{ expr: duration(0.95, 'method, endpoint', which), legend: '{{method}} {{endpoint}}' }],
      links,
      width: 8,
    }),
  ],
};

// What a process says of itself, not what the kubelet says of its container: that would need the right to read the metrics
// of every node, and its view of every pod in the cluster, for a picture that is nearly the same. What the pod asked for and
// may take is known to neither; it is in the Microservice.
const saturation: Row = {
  title: 'Saturation, a line for each pod',
  panels: [
    lines({
      title: 'CPU',
      description:
        'Cores in use. Compare with spec.resources of the Microservice; one Node process makes use of little more than one.',
      unit: 'none',
      queries: [{ expr: `rate(process_cpu_seconds_total{${ofJob}}[$__rate_interval])`, legend: '{{pod}}' }],
      links,
      width: 6,
    }),
    lines({
      title: 'Memory',
      description: 'Resident memory. Compare with spec.resources.limits.memory: a pod that reaches it is killed.',
      unit: 'bytes',
      queries: [{ expr: `process_resident_memory_bytes{${ofJob}}`, legend: '{{pod}}' }],
      links,
      width: 6,
    }),
    lines({
      title: 'Event loop, 99 %',
      description: 'How late timers run: above a tenth of a second the process is too busy to answer in time.',
      unit: 's',
      queries: [{ expr: `nodejs_eventloop_lag_p99_seconds{${ofJob}}`, legend: '{{pod}}' }],
      links,
      width: 6,
    }),
    lines({
      title: 'In flight',
      description: 'Requests in progress, on average: rate times mean duration.',
      unit: 'none',
      queries: [{ expr: inFlight('pod', which), legend: '{{pod}}' }],
      links,
      width: 6,
    }),
  ],
};

const found: Row = {
  title: 'Traces',
  panels: [
    traceTable(
      {
        title: 'Latest traces',
        description: 'Traces that the service took part in, from Jaeger; the id leads to the trace.',
        links,
        width: 24,
      },
      '$service',
    ),
  ],
};

/** What one service does for its callers, what it costs, and where it is at its limits. */
export const service = dashboard({
  uid: 'microservice',
  title: 'One service',
  description: 'Rate, errors and duration of one Microservice, how near it is to its limits, and its traces.',
  variables: [
    choice('namespace', 'Namespace', 'label_values(up{job="microservices"}, namespace)'),
    choice('service', 'Service', 'label_values(up{job="microservices", namespace="$namespace"}, service)'),
  ],
  rows: [state, red, saturation, found],
});
