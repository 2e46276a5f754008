import type { Channel } from 'amqplib';

/** Every type of event in the life of an order, with the routing key it is published with: the whole list. */
export const orderEventTypes = {
  OrderCreated: { routingKey: 'order.created' },
  OrderCompleted: { routingKey: 'order.completed' },
  OrderCompensated: { routingKey: 'order.compensated' },
} as const satisfies Record<string, { readonly routingKey: string }>;

export type OrderEventType = keyof typeof orderEventTypes;

/**
 * What the events of all types share. Fields may be added: readers ignore what they do not know. Any other change to a
 * body makes the next schema version, which every subscriber reads before the first message of it is published.
 */
export const orderEvents = { exchange: 'orders.events', schemaVersion: 1 } as const;

/** Names of the headers around a body. */
export const eventHeaders = {
  schemaVersion: 'schema-version',
  /** When the event came to be, RFC 3339; the broker's own timestamp knows whole seconds only. */
  createdAt: 'created-at',
  /** Why a dead letter is one. */
  reason: 'dead-letter-reason',
} as const;

/** The body of an order event of any type: these fields and no others. */
export interface OrderEvent {
  readonly order_id: string;
  readonly product_id: number;
  readonly quantity: number;
  readonly user_id: string;
}

/** A subscriber's own copy of the events that it asked for. */
export interface OrderSubscription {
  readonly queue: string;
  readonly binding: string;
  /** Exchange and queue of the same name. */
  readonly deadLetters: string;
  /** What the subscriber can read; anything else in its queue is a dead letter. */
  readonly types: readonly OrderEventType[];
}

/** Who hears of what. */
export const orderSubscriptions = {
  notification: {
    queue: 'orders',
    binding: orderEventTypes.OrderCreated.routingKey,
    deadLetters: 'orders.dead',
    types: ['OrderCreated'],
  },
  analytics: {
    queue: 'analytics',
    binding: 'order.*',
    deadLetters: 'analytics.dead',
    types: ['OrderCreated', 'OrderCompleted', 'OrderCompensated'],
  },
} as const satisfies Record<string, OrderSubscription>;

/**
 * Makes the exchanges, queues and bindings that are missing; changes nothing that exists. Publisher and subscribers
 * all declare everything, so that it does not matter who is first: no event is published before the queues of those
 * who want it. The queues have no arguments, since those could never be changed: a message that cannot be used is
 * published to the dead letters by the consumer, which also says why.
 */
export async function declareOrderEvents(channel: Channel): Promise<void> {
  const { exchange } = orderEvents;
  await channel.assertExchange(exchange, 'topic', { durable: true });
  for (const { queue, binding, deadLetters } of Object.values(orderSubscriptions)) {
    await channel.assertExchange(deadLetters, 'topic', { durable: true });
    await channel.assertQueue(deadLetters, { durable: true });
    await channel.bindQueue(deadLetters, deadLetters, '#');
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, exchange, binding);
  }
}
