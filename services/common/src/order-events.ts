import type { Channel } from 'amqplib';

/**
 * The contract of the order events. Publisher and consumer both declare it, so that it does not matter who is first.
 * The queue has no arguments, since those could never be changed: a message that cannot be used is published to the
 * dead letters by the consumer, which also says why.
 */
export const orderEvents = {
  exchange: 'orders.events',
  routingKey: 'order.created',
  queue: 'orders',
  /** Exchange and queue of the same name. */
  deadLetters: 'orders.dead',
  type: 'OrderCreated',
  schemaVersion: 1,
} as const;

/** Names of the headers around a body. */
export const eventHeaders = {
  schemaVersion: 'schema-version',
  /** Why a dead letter is one. */
  reason: 'dead-letter-reason',
} as const;

/** The body of an `OrderCreated` message: these fields and no others. */
export interface OrderCreated {
  readonly order_id: string;
  readonly product_id: number;
  readonly quantity: number;
  readonly user_id: string;
}

/** Makes the exchanges, queues and bindings that are missing; changes nothing that exists. */
export async function declareOrderEvents(channel: Channel): Promise<void> {
  const { exchange, routingKey, queue, deadLetters } = orderEvents;
  await channel.assertExchange(exchange, 'topic', { durable: true });
  await channel.assertExchange(deadLetters, 'topic', { durable: true });
  await channel.assertQueue(deadLetters, { durable: true });
  await channel.bindQueue(deadLetters, deadLetters, '#');
  await channel.assertQueue(queue, { durable: true });
  await channel.bindQueue(queue, exchange, routingKey);
}
