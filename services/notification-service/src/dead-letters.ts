import { eventHeaders, orderEvents } from '@microservice-platform/common/order-events';
import type { Publish } from '@microservice-platform/common/publisher';
import type { ConsumeMessage } from 'amqplib';

/**
 * Lays a copy of the message, with the reason in a header, where it waits for a person. Resolves once the broker has
 * it, so that the original may be acknowledged; a crash in between leaves two copies, never none.
 */
export async function buryMessage(publish: Publish, message: ConsumeMessage, reason: string): Promise<void> {
  const { messageId, type, headers } = message.properties;
  const delivery = await publish(
    { exchange: orderEvents.deadLetters, routingKey: message.fields.routingKey },
    {
      id: String(messageId ?? crypto.randomUUID()),
      type: String(type ?? ''),
      body: message.content,
      headers: { ...headers, [eventHeaders.reason]: reason },
    },
  );
  if (delivery === 'unroutable') throw new Error(`no queue takes dead letters: bind ${orderEvents.deadLetters}`);
}
