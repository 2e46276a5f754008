import type { Alert } from '../alert.ts';
import { selector, service } from '../selectors.ts';

const of = (metric: string) => `${metric}{job="microservices",namespace="shop",service="cart",pod="a"}`;

/** Whether a service has what it needs to work. */
export const alerts: readonly Alert[] = [
  {
    name: 'DatabasePoolExhausted',
    expr: `max by (${service}, pod) (min_over_time(${selector('db_pool_waiting')}[1m])) > 0`,
    for: '2m',
    severity: 'ticket',
    summary: 'Requests in the pod {{ $labels.pod }} of {{ $labels.service }} wait for a connection to the database.',
    description: 'All that it may have are in use, so everything takes longer, and some give up.',
    stories: [
      {
        title: 'the database is slow for five minutes',
        series: { [of('db_pool_waiting')]: '0x4 12x19 0x10' },
        lasts: '8m',
        fires: { from: '240s', until: '375s', labels: { namespace: 'shop', service: 'cart', pod: 'a' } },
      },
      {
        title: 'many come at once now and then',
        series: { [of('db_pool_waiting')]: '0x4 12x3 0x2 8x5 0x20' },
        lasts: '8m',
      },
    ],
  },
  {
    name: 'EventLoopBlocked',
    expr: [
      `max by (${service}, pod) (${selector('nodejs_eventloop_utilization')}) > 0.95`,
      `or max by (${service}, pod) (${selector('nodejs_eventloop_lag_p99_seconds')}) > 500ms`,
    ].join('\n'),
    for: '5m',
    severity: 'ticket',
    summary: 'The process in the pod {{ $labels.pod }} of {{ $labels.service }} has no time left.',
    description:
      'It computes all the time, or does so for half a second in one go, and everything else waits meanwhile.',
    stories: [
      {
        title: 'it computes all the time for ten minutes',
        series: { [of('nodejs_eventloop_utilization')]: '0.2x4 1x39 0.2x10' },
        lasts: '13m',
        fires: { from: '375s', until: '675s', labels: { namespace: 'shop', service: 'cart', pod: 'a' } },
      },
      {
        title: 'each of its requests computes for a second in one go, for ten minutes',
        series: { [of('nodejs_eventloop_lag_p99_seconds')]: '0.01x4 1x39 0.01x10' },
        lasts: '13m',
        fires: { from: '375s', until: '675s', labels: { namespace: 'shop', service: 'cart', pod: 'a' } },
      },
      {
        title: 'it starts, which takes all of its time for a minute',
        series: {
          [of('nodejs_eventloop_utilization')]: '1x4 0.3x20',
          [of('nodejs_eventloop_lag_p99_seconds')]: '0.8x4 0.02x20',
        },
        lasts: '6m',
      },
    ],
  },
];
