import type { ConfirmChannel } from 'amqplib';
import { within } from '../serving/timeouts.ts';

export interface OutgoingMessage {
  readonly id: string;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Destination {
  readonly exchange: string;
  readonly routingKey: string;
}

/** `unroutable`: the broker took the message, found no queue for it, and gave it back. */
export type Delivery = 'confirmed' | 'unroutable';

export type Publish = (to: Destination, message: OutgoingMessage) => Promise<Delivery>;

const confirmMs = 5000;

/**
 * Publishes over `channel`, persistent and mandatory, and answers only when the broker has taken responsibility.
 * Rejects when it refuses, is silent for five seconds or goes away: the message may have arrived all the same.
 */
export function publisher(channel: ConfirmChannel): Publish {
  // The broker gives an unroutable message back before it confirms it.
  const returned = new Set<string>();
  channel.on('return', (message) => returned.add(String(message.properties.messageId)));

  return (to, message) => {
    const confirmed = new Promise<Delivery>((resolve, reject) => {
      channel.publish(
        to.exchange,
        to.routingKey,
        typeof message.body === 'string' ? Buffer.from(message.body) : message.body,
        {
          mandatory: true,
          persistent: true,
          contentType: 'application/json',
          messageId: message.id,
          type: message.type,
          timestamp: Math.floor(Date.now() / 1000),
          headers: message.headers,
        },
        (error: unknown) => {
          const unroutable = returned.delete(message.id);
          if (error) reject(new Error(`message ${message.id} was not confirmed`, { cause: error }));
          else resolve(unroutable ? 'unroutable' : 'confirmed');
        },
      );
    });
    return within(confirmMs, `confirm of message ${message.id}`, confirmed);
  };
}
