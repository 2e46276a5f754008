import { dashboard, type Row } from './dashboard.ts';
import { linePlace, rowPlace, searchTraces, toGateway, toMessaging, toOperator, toService, toSlo } from './links.ts';
import { lines, number, readiness, table } from './panel.ts';
import { duration, errorRatio, firing, orNothing, orZero, perSecond, rate, ready } from './queries.ts';

const services = 'namespace, service';
const legend = '{{namespace}}/{{service}}';
const operator = 'job="operator"';
const platform = 'microservice_platform';

const links = [toService(linePlace), toSlo(linePlace), searchTraces(linePlace.service)];

const state: Row = {
  title: 'Now',
  panels: [
    number({
      title: 'Microservices ready',
      description: 'How many Microservices are Ready, as the operator sees them.',
      unit: 'none',
      queries: [{ expr: `sum(${ready()}) or vector(0)` }],
      width: 4,
    }),
    number(
      {
        title: 'Microservices not ready',
        description: 'How many are not. `kubectl get microservices -A -o wide` says why.',
        unit: 'none',
        queries: [{ expr: `count(${ready()} == 0) or vector(0)` }],
        width: 4,
      },
      1,
    ),
    number(
      {
        title: 'Targets down',
        description: 'Pods that Prometheus found and that do not answer at their metrics.',
        unit: 'none',
        queries: [{ expr: 'count(up == 0) or vector(0)' }],
        width: 4,
      },
      1,
    ),
    number({
      title: 'Requests',
      description: 'Requests to all Microservices together. A request that passes three services counts three times.',
      unit: 'reqps',
      queries: [{ expr: `sum(${rate(services)}) or vector(0)` }],
      links: [toGateway],
      width: 4,
    }),
    number(
      {
        title: 'Alerts',
        description: 'Alerts that fire now. docs/runbooks.md says what to do.',
        unit: 'none',
        queries: [{ expr: `count(${firing()}) or vector(0)` }],
        width: 4,
      },
      1,
    ),
    number({
      title: 'Least error budget',
      description: 'What is left of the error budget that is nearest to its end; red when it is used up.',
      unit: 'percentunit',
      queries: [{ expr: 'min(slo:error_budget:remaining_ratio)' }],
      goodFrom: 0.000001,
      links: [{ title: 'Service levels', url: '/d/platform-slo?${__url_time_range}' }],
      width: 4,
    }),
    table(
      {
        title: 'Microservices by readiness',
        description: 'Every Microservice, and whether it is Ready.',
        words: readiness,
        unit: 'none',
        queries: [{ expr: ready() }],
        links: [toService(rowPlace), toSlo(rowPlace)],
        width: 12,
      },
      { namespace: 'Namespace', service: 'Microservice', Value: 'Ready' },
    ),
    lines({
      title: 'Pods that answer',
      description: 'Pods of each Microservice whose metrics can be read: what its autoscaler made of it over time.',
      unit: 'none',
      queries: [{ expr: `sum by (${services}) (up{job="microservices"})`, legend }],
      links,
      width: 12,
    }),
  ],
};

const promises: Row = {
  title: 'Service levels and alerts',
  panels: [
    table(
      {
        title: 'Error budgets',
        description: 'What is left of each error budget of 30 days: 100 % untouched, 0 % used up.',
        unit: 'percentunit',
        queries: [{ expr: 'slo:error_budget:remaining_ratio' }],
        links: [toSlo(rowPlace), toService(rowPlace)],
        width: 12,
      },
      { namespace: 'Namespace', service: 'Microservice', slo: 'Service level', Value: 'Left' },
    ),
    table(
      {
        title: 'Alerts that fire',
        description: 'What is wrong now. docs/runbooks.md says what to do.',
        unit: 'none',
        queries: [{ expr: firing() }],
        links: [toService(rowPlace)],
        width: 12,
      },
      { alertname: 'Alert', severity: 'Severity', namespace: 'Namespace', service: 'Microservice', component: 'Part' },
    ),
  ],
};

const traffic: Row = {
  title: 'Requests, errors, duration',
  panels: [
    lines({
      title: 'Requests by service',
      description: 'Answered requests a second, without those for health and metrics.',
      unit: 'reqps',
      queries: [{ expr: rate(services), legend }],
      links,
      width: 8,
    }),
    lines({
      title: 'Errors by service',
      description: 'Share of the requests that were answered with 500 or above.',
      unit: 'percentunit',
      queries: [{ expr: errorRatio(services), legend }],
      links,
      width: 8,
    }),
    lines({
      title: 'Duration by service, 95 %',
      description: 'Time within which 95 of 100 requests were answered.',
      unit: 's',
      queries: [{ expr: duration(0.95, services), legend, exemplar: true }],
      links,
      width: 8,
    }),
  ],
};

const events: Row = {
  title: 'Events and orders',
  panels: [
    lines({
      title: 'Events published and consumed',
      description: 'Events a second, of all services together.',
      unit: 'ops',
      queries: [
        { expr: `sum(${perSecond('messages_published_total', 'service')}) or vector(0)`, legend: 'published' },
        { expr: `sum(${perSecond('messages_consumed_total', 'service')}) or vector(0)`, legend: 'consumed' },
      ],
      links: [toMessaging],
      width: 8,
    }),
    lines({
      title: 'Orders that ended',
      description: 'Orders a second, by how they ended.',
      unit: 'ops',
      queries: [{ expr: perSecond('orders_ended_total', 'status'), legend: '{{status}}' }],
      links: [toMessaging],
      width: 8,
    }),
    lines({
      title: 'Failures that callers did not see',
      description:
        'Failures a second of services that the gateway masked. They count against nobody, and are wrong all the same.',
      unit: 'reqps',
      queries: [
        { expr: `sum(${perSecond('gateway_masked_answers_total', 'service')}) or vector(0)`, legend: 'masked' },
      ],
      links: [toGateway],
      width: 8,
    }),
  ],
};

const telemetry: Row = {
  title: 'Telemetry itself',
  panels: [
    lines({
      title: 'Spans that are lost',
      description: 'Spans a second that could not be sent (failed) or had no room to wait (dropped).',
      unit: 'ops',
      queries: [
        {
          expr: orZero(
            perSecond('telemetry_spans_total', 'service', 'outcome!="sent"'),
            perSecond('telemetry_spans_total', 'service'),
          ),
          legend: '{{service}}',
        },
      ],
      links: [toService(linePlace)],
      width: 8,
    }),
    lines({
      title: 'Log lines',
      description: 'Lines a second that the collector of logs has read, and that Loki has taken.',
      unit: 'ops',
      queries: [
        { expr: collected('read_total'), legend: 'read' },
        { expr: collected('sent_total'), legend: 'taken' },
      ],
      width: 8,
    }),
    lines({
      title: 'Log lines that are lost',
      description: 'Lines a second that the collector had to drop, by reason.',
      unit: 'ops',
      queries: [
        {
          expr: orNothing(
            'sum by (reason) (rate(log_collector_lines_dropped_total{job="log-collector"}[$__rate_interval]))',
          ),
          legend: '{{reason}}',
        },
      ],
      width: 8,
    }),
  ],
};

function collected(what: string): string {
  return `sum(rate(log_collector_lines_${what}{job="log-collector"}[$__rate_interval]))`;
}

const health: Row = {
  title: 'The operator',
  panels: [
    lines({
      title: 'Passes by result',
      description: 'Looks at a Microservice a second: settled, to be looked at again (after), or failed.',
      unit: 'ops',
      queries: [
        {
          expr: `sum by (result) (rate(${platform}_reconciles_total{${operator}}[$__rate_interval]))`,
          legend: '{{result}}',
        },
      ],
      width: 8,
    }),
    lines({
      title: 'Duration of a pass and of waiting, 95 %',
      description: 'How long a look at a Microservice takes, and how long it waits for a worker before.',
      unit: 's',
      queries: [
        { expr: histogram('reconcile_duration_seconds'), legend: 'pass' },
        { expr: histogram('queue_wait_seconds'), legend: 'waiting' },
      ],
      width: 8,
    }),
    lines({
      title: 'Queue',
      description: 'Microservices that wait for a worker, and those that are put off.',
      unit: 'none',
      queries: [
        { expr: `sum(${platform}_queue_depth{${operator}})`, legend: 'waiting' },
        { expr: `sum(${platform}_queue_delayed{${operator}})`, legend: 'put off' },
      ],
      width: 8,
    }),
    lines({
      title: 'Requests to the API server',
      description: 'By HTTP status; `none` had no answer. 409 and 429 are weather, 403 is a right that is missing.',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (code) (rate(${platform}_api_requests_total{${operator}}[$__rate_interval]))`,
          legend: '{{code}}',
        },
      ],
      width: 8,
    }),
    lines({
      title: 'Watches and events',
      description:
        'Kinds whose state is not complete, watches opened anew, and events that were lost. All are 0 on a good day.',
      unit: 'none',
      queries: [
        { expr: `sum(${platform}_watches_unsynced{${operator}})`, legend: 'kinds not complete' },
        {
          expr: `sum(increase(${platform}_watch_restarts_total{${operator}}[$__rate_interval])) or vector(0)`,
          legend: 'watches opened anew',
        },
        {
          expr: `sum(increase(${platform}_events_dropped_total{${operator}}[$__rate_interval])) or vector(0)`,
          legend: 'events lost',
        },
      ],
      width: 8,
    }),
    lines({
      title: 'Memory of the platform',
      description: 'Resident memory of the operator, Prometheus, Jaeger and Grafana.',
      unit: 'bytes',
      queries: [
        { expr: 'sum by (service) (process_resident_memory_bytes{job!="microservices"})', legend: '{{service}}' },
      ],
      width: 8,
    }),
  ],
};

function histogram(name: string): string {
  return `histogram_quantile(0.95, sum by (le) (rate(${platform}_${name}_bucket{${operator}}[$__rate_interval])))`;
}

/** Whether the platform and what runs on it is well, and where to look if not. */
export const overview = dashboard({
  uid: 'platform-overview',
  title: 'Platform overview',
  description: 'Whether the platform and every Microservice on it is well, and where to look if not.',
  onward: toOperator,
  rows: [state, promises, traffic, events, health, telemetry],
});
