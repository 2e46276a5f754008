import { extractContext, type Log, SpanKind, withSpan } from '@microservice-platform/common';
import type { BrokerSession } from '@microservice-platform/common/broker';
import { declareOrderEvents, orderEvents } from '@microservice-platform/common/order-events';
import { type Publish, publisher } from '@microservice-platform/common/publisher';
import type { ConsumeMessage } from 'amqplib';
import type { Counter } from 'prom-client';
import { buryMessage } from './dead-letters.ts';
import { type Notifications, orderReceived } from './notifications.ts';
import { readMessage } from './validator.ts';

export interface ConsumerOptions {
  readonly notifications: Notifications;
  readonly log: Log;
  readonly consumed: Counter<'outcome'>;
}

/** What became of a message; in each case it is done with and may be acknowledged. */
type Outcome = 'stored' | 'duplicate' | 'dead';

/** How many messages may be worked on at once: as many as the pool has connections for. */
const prefetch = 10;

/**
 * Turns each order event into a notification, once, however often it is delivered. A message is acknowledged after
 * the transaction; one that cannot be used goes to the dead letters. Any other failure ends the session: what is not
 * acknowledged returns to the queue, and the pause before the next session keeps the pace bounded.
 */
export function orderConsumer({ notifications, log, consumed }: ConsumerOptions) {
  const handle = async (publish: Publish, message: ConsumeMessage): Promise<Outcome> => {
    const read = readMessage(message);
    if (read.kind === 'unusable') {
      await buryMessage(publish, message, read.reason);
      log.error({ message_id: message.properties.messageId as unknown, reason: read.reason }, 'message is dead');
      return 'dead';
    }
    const added = await notifications.addOnce(read.messageId, orderReceived(read.event));
    log.info({ message_id: read.messageId, order_id: read.event.order_id, added }, 'order event consumed');
    return added ? 'stored' : 'duplicate';
  };

  return async ({ channel, lost, stop }: BrokerSession): Promise<void> => {
    await declareOrderEvents(channel);
    await channel.prefetch(prefetch);
    const publish = publisher(channel);
    const failed = new AbortController();
    const running = new Set<Promise<void>>();

    const work = async (message: ConsumeMessage) => {
      try {
        const outcome = await inConsumerSpan(message, () => handle(publish, message));
        consumed.inc({ outcome });
        if (!lost.aborted) channel.ack(message);
      } catch (error) {
        consumed.inc({ outcome: 'requeued' });
        failed.abort(error);
      }
    };
    const { consumerTag } = await channel.consume(orderEvents.queue, (message) => {
      if (message === null) return failed.abort(new Error(`the queue ${orderEvents.queue} was deleted`));
      const task = work(message).finally(() => running.delete(task));
      running.add(task);
    });

    await aborted(AbortSignal.any([lost, stop, failed.signal]));
    if (!lost.aborted) await channel.cancel(consumerTag);
    await Promise.all(running);
    failed.signal.throwIfAborted();
  };
}

/** The span continues the trace in which the event came to be. */
function inConsumerSpan<T>(message: ConsumeMessage, work: () => Promise<T>): Promise<T> {
  const { queue } = orderEvents;
  const { messageId, headers } = message.properties;
  const attributes = {
    'messaging.system': 'rabbitmq',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.destination.name': queue,
    'messaging.message.id': String(messageId),
  };
  const parent = extractContext(headers ?? {});
  return withSpan(`process ${queue}`, { kind: SpanKind.CONSUMER, parent, attributes }, work);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
