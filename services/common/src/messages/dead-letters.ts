import type { ConsumeMessage } from 'amqplib';
import { eventHeaders } from './order-events.ts';
import type { Delivery, Publish } from './publisher.ts';

/** Long enough for any error of ours; the reason travels as a header. */
const maxReasonLength = 1000;

/**
 * Lays a copy of the message, with the reason in a header, where it waits for a person. Resolves once the broker has
 * it, so that the original may be acknowledged; a crash in between leaves two copies, never none.
 */
export async function buryMessage(
  publish: Publish,
  message: ConsumeMessage,
  { deadLetters, reason }: { readonly deadLetters: string; readonly reason: string },
): Promise<void> {
  const { messageId, type, headers } = message.properties;
  const why = { [eventHeaders.reason]: reason.slice(0, maxReasonLength) };
  const letter = {
    id: String(messageId ?? crypto.randomUUID()),
    type: String(type ?? ''),
    body: message.content,
    headers: { ...headers, ...why },
  };
  const bare = { id: crypto.randomUUID(), type: '', body: message.content, headers: why };
  const delivery = await publish({ exchange: deadLetters, routingKey: message.fields.routingKey }, letter).catch(
    (error: unknown): Promise<Delivery> => {
      // There are envelopes that the driver can read but not write; the message must not stay in the way for that.
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      return publish({ exchange: deadLetters, routingKey: '' }, bare);
    },
  );
  if (delivery === 'unroutable') throw new Error(`no queue takes dead letters: bind ${deadLetters}`);
}
