import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import type { ConsumeMessage } from 'amqplib';
import type { Pool, PoolClient } from 'pg';
import type { Registry } from 'prom-client';
import { backoffMs } from '../calls/backoff.ts';
import { isUnreachable, type Log, transaction } from '../database/postgres.ts';
import { Problem } from '../serving/problem.ts';
import { extractContext, failSpan, withSpan } from '../telemetry/tracing.ts';
import type { BrokerSession } from './broker.ts';
import { consumerMetrics } from './consumer-metrics.ts';
import { buryMessage } from './dead-letters.ts';
import { noteMessage } from './inbox.ts';
import { declareOrderEvents, type OrderSubscription } from './order-events.ts';
import { type Publish, publisher } from './publisher.ts';
import { type OrderEventMessage, readOrderEvent } from './read-order-event.ts';

export interface ConsumerOptions {
  readonly pool: Pool;
  readonly log: Log;
  readonly registry: Registry;
  readonly subscription: OrderSubscription;
  /** What an event changes in the database, by `client` only: its transaction also notes the event as dealt with. */
  readonly handle: (client: PoolClient, message: OrderEventMessage) => Promise<void>;
}

/** What became of a message; in each case it is done with and may be acknowledged. */
type Outcome = 'stored' | 'duplicate' | 'dead';

/** How many messages may be worked on at once: as many as the pool has connections for. */
const prefetch = 10;
/** About three seconds in all: longer than a deadlock or a hiccup, short enough not to hold up the rest. */
const maxTries = 5;

/**
 * The work of a subscriber in a session with the broker: handles each event of its queue once, however often it is
 * delivered, and acknowledges it after the transaction.
 *
 * - A message that cannot be read goes to the dead letters; so does one whose handling fails five times although the
 *   database answers. The reason goes with it, and the queue goes on.
 * - Any other failure (the database, the broker) is nobody's fault: it ends the session, for ever anew. What is not
 *   acknowledged returns to the queue, and the pause before the next session keeps the pace bounded.
 */
export function orderEventConsumer({ pool, log, registry, subscription, handle }: ConsumerOptions) {
  const { queue, types, deadLetters } = subscription;
  const { consumed, aged, askOver } = consumerMetrics(registry, subscription);

  const handleOnce = (message: OrderEventMessage) =>
    transaction(pool, async (client): Promise<Outcome> => {
      if (!(await noteMessage(client, message.id))) return 'duplicate';
      try {
        await handle(client, message);
      } catch (error) {
        // The database has just taken the id, and still answers: what failed is this message, or our code.
        throw isDatabaseAway(error) ? error : new HandlingError(error);
      }
      return 'stored';
    });

  const handleWithTries = async (message: OrderEventMessage, ended: AbortSignal): Promise<Outcome | HandlingError> => {
    for (let tries = 1; ; tries++) {
      try {
        return await handleOnce(message);
      } catch (error) {
        if (!(error instanceof HandlingError)) throw error;
        if (tries === maxTries) return error;
        log.warn({ message_id: message.id, tries, reason: error.message }, 'message could not be handled');
        await sleep(backoffMs(tries), undefined, { signal: ended });
      }
    }
  };

  const dealWith = (publish: Publish, message: ConsumeMessage, ended: AbortSignal): Promise<Outcome> =>
    inConsumerSpan(queue, message, async (span) => {
      const bury = async (reason: string): Promise<Outcome> => {
        await buryMessage(publish, message, { deadLetters, reason });
        failSpan(span, new Error(reason));
        log.error({ message_id: (message.properties.messageId ?? null) as unknown, reason }, 'message is dead');
        return 'dead';
      };
      const read = readOrderEvent(message, types);
      if (read.kind === 'unusable') return bury(read.reason);
      const outcome = await handleWithTries(read.message, ended);
      if (outcome instanceof HandlingError) return bury(`failed ${maxTries} times: ${outcome.message}`);
      const { id, type, event } = read.message;
      log.info({ message_id: id, type, order_id: event.order_id, outcome }, 'order event consumed');
      return outcome;
    });

  return async ({ channel, lost, stop }: BrokerSession): Promise<void> => {
    await declareOrderEvents(channel);
    await channel.prefetch(prefetch);
    const publish = publisher(channel);
    const failed = new AbortController();
    const ended = AbortSignal.any([lost, stop, failed.signal]);
    const running = new Set<Promise<void>>();

    const work = async (message: ConsumeMessage) => {
      try {
        const outcome = await dealWith(publish, message, ended);
        consumed.inc({ outcome });
        if (outcome !== 'duplicate') aged(message);
        if (!lost.aborted) channel.ack(message);
      } catch (error) {
        consumed.inc({ outcome: 'requeued' });
        failed.abort(error);
      }
    };
    askOver(channel);
    lost.addEventListener('abort', () => askOver(undefined), { once: true });
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message === null) return failed.abort(new Error(`the queue ${queue} was deleted`));
      const task = work(message).finally(() => running.delete(task));
      running.add(task);
    });

    await aborted(ended);
    if (!lost.aborted) await channel.cancel(consumerTag);
    await Promise.all(running);
    // A session that was told to stop ends in order all the same: otherwise acknowledgements would be dropped.
    if (!stop.aborted) failed.signal.throwIfAborted();
  };
}

/** The handling of one message failed while the database answered. */
class HandlingError extends Error {
  override readonly name = 'HandlingError';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function isDatabaseAway(error: unknown): boolean {
  return isUnreachable(error) || (error instanceof Problem && error.code === 'unavailable');
}

/** The span continues the trace in which the event came to be. */
function inConsumerSpan<T>(
  queue: string,
  message: ConsumeMessage,
  work: Parameters<typeof withSpan<T>>[2],
): Promise<T> {
  const { messageId, headers } = message.properties;
  const attributes = {
    'messaging.system': 'rabbitmq',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.destination.name': `${message.fields.exchange}:${message.fields.routingKey}:${queue}`,
    'messaging.rabbitmq.destination.routing_key': message.fields.routingKey,
    'messaging.message.id': String(messageId),
  };
  const parent = extractContext(headers ?? {});
  return withSpan(`process ${queue}`, { kind: SpanKind.CONSUMER, parent, attributes }, work);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
