import type { Alert } from '../alert.ts';
import { selector, service } from '../selectors.ts';

const consumed = `sum by (${service}) (rate(${selector('messages_consumed_total', 'outcome!="requeued"')}[5m]))`;
const waiting = `max by (${service}, queue) (min_over_time(${selector('queue_messages')}[5m]))`;
const age = `sum by (${service}, queue, le) (rate(${selector('message_age_seconds_bucket')}[5m]))`;

const of = (metric: string, ...labels: readonly string[]) =>
  `${metric}{${['job="microservices"', 'namespace="shop"', 'service="cart"', 'pod="a"', ...labels].join(',')}}`;
const aged = (le: string) => of('message_age_seconds_bucket', 'queue="q"', `le="${le}"`);

/** Whether events and orders get on. The figures of a backlog are the same in every replica: the largest counts. */
export const alerts: readonly Alert[] = [
  {
    name: 'OutboxStuck',
    expr: `max by (${service}) (${selector('outbox_oldest_seconds')}) > 2m`,
    for: '1m',
    severity: 'page',
    summary: '{{ $labels.service }} in {{ $labels.namespace }} does not get its events to the broker.',
    description: 'What has happened is kept, but no other service hears of it. Orders are still taken.',
    stories: [
      {
        title: 'the broker is away for five minutes',
        series: { [of('outbox_oldest_seconds')]: '0x8 15+15x19 0x10' },
        lasts: '10m',
        fires: { from: '315s', until: '435s', labels: { namespace: 'shop', service: 'cart' } },
      },
      {
        title: 'the broker starts anew, and then the database cannot be asked',
        series: { [of('outbox_oldest_seconds')]: '0x8 15+15x6 0x4 NaN NaN NaN NaN 0x20' },
        lasts: '10m',
      },
    ],
  },
  {
    name: 'ConsumerLags',
    // The second part: something waits, and nothing is taken; then there is no age that could be measured.
    expr: [`histogram_quantile(0.9, ${age}) > 1m`, `or ${waiting} > 0 unless on (${service}) ${consumed} > 0`].join(
      '\n',
    ),
    for: '10m',
    severity: 'ticket',
    summary: '{{ $labels.service }} is behind with the messages of {{ $labels.queue }}.',
    description: 'One message in ten is dealt with more than a minute after it came to be, or none at all.',
    stories: [
      {
        title: 'messages come faster than they can be handled, for a quarter of an hour',
        series: {
          [aged('60')]: '0+1x60 60+8x80',
          [aged('300')]: '0+8x141',
          [aged('+Inf')]: '0+8x141',
        },
        lasts: '35m',
        fires: { from: '615s', until: '1170s', labels: { namespace: 'shop', service: 'cart', queue: 'q' } },
      },
      {
        title: 'nothing is taken from the queue for twenty minutes',
        series: {
          [of('queue_messages', 'queue="q"')]: '0x4 3x79 0x20',
          [of('messages_consumed_total', 'outcome="stored"')]: '9x104',
          [of('messages_consumed_total', 'outcome="requeued"')]: '0x4 9+9x99',
        },
        lasts: '25m',
        fires: { from: '960s', until: '1275s', labels: { namespace: 'shop', service: 'cart', queue: 'q' } },
      },
      {
        title: 'many messages at once, which are dealt with',
        series: {
          [of('queue_messages', 'queue="q"')]: '0x4 900x10 300x10 0x60',
          [of('messages_consumed_total', 'outcome="stored"')]: '9x4 19+20x80',
          [aged('60')]: '0+8x80',
          [aged('+Inf')]: '0+8x80',
        },
        lasts: '20m',
      },
    ],
  },
  {
    name: 'DeadLetters',
    expr: `max by (${service}, queue) (${selector('dead_letters')}) > 0`,
    for: '1m',
    severity: 'ticket',
    summary: 'Messages of {{ $labels.queue }} could not be handled, and wait for a person.',
    description: 'What they tell has not happened for {{ $labels.service }}. Others go on.',
    stories: [
      {
        title: 'a message that nobody can read, until somebody has looked at it',
        series: { [of('dead_letters', 'queue="q"')]: '0x4 1x20 0x10' },
        lasts: '8m',
        fires: { from: '135s', until: '390s', labels: { namespace: 'shop', service: 'cart', queue: 'q' } },
      },
      { title: 'none', series: { [of('dead_letters', 'queue="q"')]: '0x20' }, lasts: '5m' },
    ],
  },
  {
    name: 'OrdersStuck',
    // An order that is not through after 60 s is undone; that takes some tries where others fail, too.
    expr: `max by (${service}) (${selector('orders_oldest_unfinished_seconds')}) > 5m`,
    for: '1m',
    severity: 'page',
    summary: 'Orders at {{ $labels.service }} in {{ $labels.namespace }} are neither completed nor undone.',
    description: 'Their goods are reserved, and perhaps paid for; whoever ordered waits.',
    stories: [
      {
        title: 'an order is neither completed nor undone for ten minutes',
        series: { [of('orders_oldest_unfinished_seconds')]: '0x4 15+15x39 0x10' },
        lasts: '13m',
        fires: { from: '435s', until: '675s', labels: { namespace: 'shop', service: 'cart' } },
      },
      {
        title: 'orders wait for a payment service that is away for three minutes',
        series: { [of('orders_oldest_unfinished_seconds')]: '0x4 15+15x11 0x20' },
        lasts: '9m',
      },
    ],
  },
];
