import { type OrderEventType, orderEventTypes } from '../../services/common/src/messages/order-events.ts';
import type { RabbitMqAddress } from './rabbitmq.ts';
import { withChannel } from './shop.ts';

/** An order event as order-service publishes it, unless told otherwise. */
export interface PublishedEvent {
  readonly type?: OrderEventType;
  readonly body: unknown;
  readonly messageId?: string;
  readonly headers?: Record<string, unknown>;
}

export function orderEvent(change: Record<string, unknown> = {}) {
  return { order_id: crypto.randomUUID(), product_id: 2, quantity: 3, user_id: 'u-7', ...change };
}

/** Publishes all of them in this order. @returns how many no queue took */
export function publishEvents(broker: RabbitMqAddress, events: readonly PublishedEvent[]): Promise<number> {
  return withChannel(broker, async (channel) => {
    let returned = 0;
    channel.on('return', () => {
      returned++;
    });
    for (const { type = 'OrderCreated', body, messageId = crypto.randomUUID(), headers = {} } of events) {
      const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      const options = { messageId, type, headers, persistent: true, mandatory: true };
      channel.publish('orders.events', orderEventTypes[type].routingKey, content, options);
    }
    // Answered after everything that was sent before.
    await channel.checkExchange('orders.events');
    return returned;
  });
}
