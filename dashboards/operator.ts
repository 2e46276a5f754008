import { dashboard, type Row } from './dashboard.ts';
import { toOverview } from './links.ts';
import { lines, number } from './panel.ts';
import { orNothing } from './queries.ts';

const operator = 'job="operator"';
const platform = 'microservice_platform';
const pod = '{{pod}}';

const increase = (name: string, by: string) =>
  `sum by (${by}) (rate(${platform}_${name}{${operator}}[$__rate_interval]))`;
const quantile = (share: number, name: string, by = '') =>
  `histogram_quantile(${share}, sum by (${['le', by].filter(Boolean).join(', ')}) (rate(${platform}_${name}_bucket{${operator}}[$__rate_interval])))`;

const state: Row = {
  title: 'Now',
  panels: [
    number({
      title: 'Leaders',
      description: 'Operators that work. One; for a few seconds 0 while another takes over.',
      unit: 'none',
      queries: [{ expr: `sum(${platform}_leader{${operator}})` }],
      width: 6,
    }),
    number({
      title: 'Operators',
      description: 'Operators that answer, the one that works and those that stand by.',
      unit: 'none',
      queries: [{ expr: `sum(up{${operator}})` }],
      width: 6,
    }),
    number(
      {
        title: 'Kinds not complete',
        description: 'Kinds of which an operator does not have everything in memory. It says in its log why.',
        unit: 'none',
        queries: [{ expr: `sum(${platform}_watches_unsynced{${operator}})` }],
        width: 6,
      },
      1,
    ),
    number(
      {
        title: 'Passes that fail',
        description:
          'Looks at a Microservice a second that ended in a failure. The log names the Microservice and the reason.',
        unit: 'ops',
        queries: [
          {
            expr: `sum(rate(${platform}_reconciles_total{${operator},result="failed"}[$__rate_interval])) or vector(0)`,
          },
        ],
        width: 6,
      },
      0.001,
    ),
  ],
};

const work: Row = {
  title: 'Work',
  panels: [
    lines({
      title: 'Passes by result',
      description: 'Looks at a Microservice a second: settled, to be looked at again (after), or failed.',
      unit: 'ops',
      queries: [{ expr: increase('reconciles_total', 'result'), legend: '{{result}}' }],
      width: 8,
    }),
    lines({
      title: 'Duration of a pass',
      description: 'How long a look at a Microservice takes, with everything that it writes.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'reconcile_duration_seconds'), legend: '50 %' },
        { expr: quantile(0.99, 'reconcile_duration_seconds'), legend: '99 %' },
      ],
      width: 8,
    }),
    lines({
      title: 'Queue',
      description: 'Microservices that wait for a worker, and those that are put off. The first is 0 nearly always.',
      unit: 'none',
      queries: [
        { expr: `sum by (pod) (${platform}_queue_depth{${operator}})`, legend: `waiting, ${pod}` },
        { expr: `sum by (pod) (${platform}_queue_delayed{${operator}})`, legend: `put off, ${pod}` },
      ],
      width: 8,
    }),
    lines({
      title: 'Time in the queue',
      description: 'How long a Microservice waits for a worker.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'queue_wait_seconds'), legend: '50 %' },
        { expr: quantile(0.99, 'queue_wait_seconds'), legend: '99 %' },
      ],
      width: 8,
    }),
    lines({
      title: 'Events lost',
      description:
        'Kubernetes events that could not be recorded. They are for people only: nothing else is lost with them.',
      unit: 'none',
      queries: [{ expr: `sum by (pod) (${platform}_events_dropped_total{${operator}})`, legend: pod }],
      width: 8,
    }),
    lines({
      title: 'Repairs held back',
      description: 'Times that somebody undid one repair of a child after the other. The log names the Microservice.',
      unit: 'none',
      queries: [{ expr: `sum by (pod) (${platform}_repairs_held_back_total{${operator}})`, legend: pod }],
      width: 8,
    }),
    lines({
      title: 'Who leads',
      description: '1 for the operator that works, 0 for those that stand by.',
      unit: 'none',
      queries: [{ expr: `max by (pod) (${platform}_leader{${operator}})`, legend: pod }],
      width: 24,
    }),
  ],
};

const requests: Row = {
  title: 'The API server',
  panels: [
    lines({
      title: 'Requests by verb',
      description:
        'At rest there are none but the renewal of the lease, and watches that are opened again every 5 to 10 minutes.',
      unit: 'reqps',
      queries: [{ expr: increase('api_requests_total', 'verb'), legend: '{{verb}}' }],
      width: 8,
    }),
    lines({
      title: 'Requests by status',
      description: '`none` had no answer. 409 and 429 are weather, 403 is a right that is missing.',
      unit: 'reqps',
      queries: [{ expr: increase('api_requests_total', 'code'), legend: '{{code}}' }],
      width: 8,
    }),
    lines({
      title: 'Time to the answer, 99 %',
      description: 'Until the API server began to answer.',
      unit: 's',
      queries: [{ expr: quantile(0.99, 'api_request_duration_seconds', 'verb'), legend: '{{verb}}' }],
      width: 8,
    }),
    lines({
      title: 'Silence of watches',
      description: 'Time since anything happened on the watch of a kind. The API server says something every minute.',
      unit: 's',
      queries: [{ expr: `max by (kind) (${platform}_watch_idle_seconds{${operator}})`, legend: '{{kind}}' }],
      width: 12,
    }),
    lines({
      title: 'Watches opened anew',
      description: 'After a failure; those that expired had to list everything anew.',
      unit: 'none',
      queries: [
        {
          expr: orNothing(
            `sum by (reason) (increase(${platform}_watch_restarts_total{${operator}}[$__rate_interval]))`,
          ),
          legend: '{{reason}}',
        },
      ],
      width: 12,
    }),
  ],
};

const health: Row = {
  title: 'The process',
  panels: [
    lines({
      title: 'CPU',
      description: 'Cores that each operator uses.',
      unit: 'none',
      queries: [{ expr: `sum by (pod) (rate(process_cpu_seconds_total{${operator}}[$__rate_interval]))`, legend: pod }],
      width: 8,
    }),
    lines({
      title: 'Memory',
      description:
        'Resident memory. It grows with the number of Microservices, and with the names of ConfigMaps in the cluster.',
      unit: 'bytes',
      queries: [{ expr: `sum by (pod) (process_resident_memory_bytes{${operator}})`, legend: pod }],
      width: 8,
    }),
    lines({
      title: 'Lag of the event loop, 99 %',
      description: 'How late work begins in a process that is too busy.',
      unit: 's',
      queries: [{ expr: `max by (pod) (nodejs_eventloop_lag_p99_seconds{${operator}})`, legend: pod }],
      width: 8,
    }),
  ],
};

/** Whether the operator is well: who leads, what waits, what fails, and what it asks of the API server. */
export const operatorDashboard = dashboard({
  uid: 'platform-operator',
  title: 'Operator',
  description: 'Whether the operator is well: who leads, what waits, what fails, and what it asks of the API server.',
  onward: toOverview,
  rows: [state, work, requests, health],
});
