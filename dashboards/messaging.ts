import { dashboard, type Row } from './dashboard.ts';
import { linePlace, searchTraces, toOverview, toService } from './links.ts';
import { lines, number } from './panel.ts';
import { highest, orZero, perSecond, within } from './queries.ts';

const links = [toService(linePlace), searchTraces('${__field.labels.service}')];
const orders = [toService({ namespace: 'shop', service: 'order-service' }), searchTraces('order-service')];
const perService = 'namespace, service';
const steps = perSecond('saga_steps_total', 'action', '');

const state: Row = {
  title: 'Now',
  panels: [
    number(
      {
        title: 'Oldest event not yet published',
        description: 'How long an event has waited in the outbox for the broker to confirm it.',
        unit: 's',
        queries: [{ expr: 'max(outbox_oldest_seconds{job="microservices"})' }],
        links: orders,
        width: 6,
      },
      60,
    ),
    number(
      {
        title: 'Messages that wait',
        description: 'In the queues of all subscribers together.',
        unit: 'none',
        queries: [{ expr: `sum(${highest('queue_messages', 'queue')})` }],
        width: 6,
      },
      1000,
    ),
    number(
      {
        title: 'Dead letters',
        description: 'Messages that nobody could make use of. They stay until somebody looks at them.',
        unit: 'none',
        queries: [{ expr: `sum(${highest('dead_letters', 'queue')})` }],
        width: 6,
      },
      1,
    ),
    number(
      {
        title: 'Oldest order not yet ended',
        description: 'An order ends within a minute, or is taken back.',
        unit: 's',
        queries: [{ expr: 'max(orders_oldest_unfinished_seconds{job="microservices"})' }],
        links: orders,
        width: 6,
      },
      120,
    ),
  ],
};

const publishing: Row = {
  title: 'Events that are published',
  panels: [
    lines({
      title: 'Published',
      description: 'Events a second that the broker has confirmed, by type.',
      unit: 'ops',
      queries: [{ expr: perSecond('messages_published_total', 'type'), legend: '{{type}}' }],
      links: orders,
      width: 6,
    }),
    lines({
      title: 'Without a queue',
      description: 'Events a second that no queue takes: they stay in the outbox, and are tried again.',
      unit: 'ops',
      queries: [
        {
          expr: orZero(perSecond('messages_unroutable_total', 'type'), perSecond('messages_published_total', 'type')),
          legend: '{{type}}',
        },
      ],
      links: orders,
      width: 6,
    }),
    lines({
      title: 'Outbox',
      description: 'Events that wait to be published.',
      unit: 'none',
      queries: [{ expr: highest('outbox_pending', perService), legend: '{{service}}' }],
      links,
      width: 6,
    }),
    lines({
      title: 'Age of the outbox',
      description: 'How long the oldest of them has waited.',
      unit: 's',
      queries: [{ expr: highest('outbox_oldest_seconds', perService), legend: '{{service}}' }],
      links,
      width: 6,
    }),
  ],
};

const consuming: Row = {
  title: 'Events that are consumed',
  panels: [
    lines({
      title: 'Consumed by outcome',
      description: 'Deliveries a second: stored, known already (duplicate), dead, or given back (requeued).',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('messages_consumed_total', `${perService}, outcome`),
          legend: '{{service}} {{outcome}}',
        },
      ],
      links,
      width: 8,
    }),
    lines({
      title: 'Age when handled',
      description: 'From the moment when an event came to be until it was handled, for 50 and 95 of 100.',
      unit: 's',
      queries: [0.5, 0.95].map((share) => ({
        expr: within(share, 'message_age_seconds', 'queue'),
        legend: `{{queue}}, ${share * 100} %`,
      })),
      width: 8,
    }),
    lines({
      title: 'Connected to the broker',
      description: '1 for a pod that has a session with RabbitMQ, 0 for one that tries to get one.',
      unit: 'none',
      queries: [{ expr: highest('broker_connected', `${perService}, pod`), legend: '{{pod}}' }],
      links,
      width: 8,
    }),
    lines({
      title: 'Queues',
      description: 'Messages that wait for each subscriber: a line that rises is a subscriber that is too slow.',
      unit: 'none',
      queries: [{ expr: highest('queue_messages', 'queue'), legend: '{{queue}}' }],
      width: 12,
    }),
    lines({
      title: 'Dead letters by queue',
      description: 'Messages that could not be read, or whose handling failed five times.',
      unit: 'none',
      queries: [{ expr: highest('dead_letters', 'queue'), legend: '{{queue}}' }],
      width: 12,
    }),
  ],
};

const sagas: Row = {
  title: 'Orders',
  panels: [
    lines({
      title: 'Steps',
      description: 'Attempts a second at a step of an order, by what came of them; `none` is tried again.',
      unit: 'ops',
      queries: [{ expr: perSecond('saga_steps_total', 'action, outcome'), legend: '{{action}} {{outcome}}' }],
      links: orders,
      width: 8,
    }),
    lines({
      title: 'Steps without an outcome',
      description: 'Share of the attempts of a step that had none.',
      unit: 'percentunit',
      queries: [
        {
          expr: `(${orZero(perSecond('saga_steps_total', 'action', 'outcome="none"'), steps)}) / (${steps} > 0)`,
          legend: '{{action}}',
        },
      ],
      links: orders,
      width: 8,
    }),
    lines({
      title: 'Orders that ended',
      description: 'A second, by their last status: completed, or compensated, which is taken back.',
      unit: 'ops',
      queries: [{ expr: perSecond('orders_ended_total', 'status'), legend: '{{status}}' }],
      links: orders,
      width: 8,
    }),
    lines({
      title: 'Orders not yet ended',
      description: 'How many orders are on their way.',
      unit: 'none',
      queries: [{ expr: highest('orders_unfinished', perService), legend: '{{service}}' }],
      links,
      width: 12,
    }),
    lines({
      title: 'Age of the oldest',
      description: 'How long the oldest of them has been on its way.',
      unit: 's',
      queries: [{ expr: highest('orders_oldest_unfinished_seconds', perService), legend: '{{service}}' }],
      links,
      width: 12,
    }),
  ],
};

/** Whether events are published, reach their subscribers and are made use of, and whether orders come to an end. */
export const messaging = dashboard({
  uid: 'platform-messaging',
  title: 'Messages and orders',
  description:
    'Whether events are published, reach their subscribers and are handled, and whether orders come to an end.',
  onward: toOverview,
  rows: [state, publishing, consuming, sagas],
});
