import { counter, error, gauge, histogram, info, type Signals, usual, warn } from './signal.ts';

const message = [
  'messaging.system',
  'messaging.operation.type',
  'messaging.operation.name',
  'messaging.destination.name',
  'messaging.message.id',
  'messaging.rabbitmq.destination.routing_key',
];

/** What a service tells of its session with RabbitMQ. */
export const broker: Signals = {
  metrics: [gauge('broker_connected', [], 'Whether there is a session with the broker: 0 or 1.')],
  lines: [
    info('connected to the broker', ['broker']),
    warn('no session with the broker', ['reason', 'retry_in_ms']),
    warn('unfinished messages are left to the next process', ['reason']),
  ],
};

/** What a subscriber of events tells. */
export const consuming: Signals = {
  metrics: [
    counter('messages_consumed_total', ['outcome'], 'Deliveries: stored, duplicate, dead, requeued.', {
      after: 'the first message',
    }),
    histogram(
      'message_age_seconds',
      ['queue'],
      'From the moment when an event came to be to the end of its handling.',
      {
        after: 'the first message',
      },
    ),
    gauge('queue_messages', ['queue'], 'Messages at the broker that wait for this subscriber.'),
    gauge('dead_letters', ['queue'], 'Messages that this subscriber could not make use of.'),
  ],
  spans: [
    {
      name: 'process {queue}',
      kind: 'consumer',
      always: message,
      sometimes: ['error.type'],
      meaning: 'The handling of one message, in the trace in which its event came to be.',
    },
  ],
  lines: [
    usual(info('order event consumed', ['message_id', 'type', 'order_id', 'outcome'])),
    warn('message could not be handled', ['message_id', 'tries', 'reason']),
    error('message is dead', ['message_id', 'reason']),
  ],
};

/** What a service tells that publishes events out of its outbox. */
export const publishing: Signals = {
  metrics: [
    counter('messages_published_total', ['type'], 'Messages that the broker has confirmed.', {
      after: 'the first message',
    }),
    counter('messages_unroutable_total', ['type'], 'Messages that no queue takes.', {
      after: 'such a message',
    }),
    gauge('outbox_pending', [], 'Messages that the broker has not confirmed yet; the same at each replica.'),
    gauge('outbox_oldest_seconds', [], 'Age of the oldest of them; the same at each replica.'),
  ],
  spans: [
    {
      name: 'publish {exchange}',
      kind: 'producer',
      always: message,
      sometimes: ['error.type'],
      meaning: 'One message, in the trace in which its event came to be.',
    },
    {
      name: 'relay outbox',
      kind: 'internal',
      always: ['messaging.batch.message_count'],
      meaning: 'A batch of messages on its way, with links to the traces that they came to be in.',
    },
  ],
  lines: [error('no queue takes this message; it stays in the outbox', ['message_id', 'exchange', 'routing_key'])],
};
