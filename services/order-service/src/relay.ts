import { extractContext, injectContext, type Log, SpanKind, withSpan } from '@microservice-platform/common';
import type { BrokerSession } from '@microservice-platform/common/broker';
import { declareOrderEvents, eventHeaders } from '@microservice-platform/common/order-events';
import { type Delivery, type Publish, publisher } from '@microservice-platform/common/publisher';
import type { Pool } from 'pg';
import { bell } from './bell.ts';
import type { OrderMetrics } from './metrics.ts';
import { type OutboxRow, relayBatch } from './outbox.ts';

export interface Relay {
  /** Moves messages from the outbox to the broker until the session ends. */
  readonly work: (session: BrokerSession) => Promise<void>;
  /** Says that there is a new message, so that it need not wait for the next look. */
  readonly nudge: () => void;
}

const batchSize = 100;
/** Finds what a replica that died has left, and what is due again; new messages of our own come by nudge. */
const pollMs = 5000;

/**
 * Publishes what is in the outbox, at least once each: a row goes only after the broker has confirmed its message.
 * Several replicas may run at once. A message that no queue takes stays, is logged and counted, and tried again later.
 */
export function outboxRelay(pool: Pool, log: Log, metrics: OrderMetrics): Relay {
  const news = bell();

  const settle = async (publish: Publish, row: OutboxRow) => {
    const delivery = await publishRow(publish, row);
    if (delivery === 'confirmed') {
      metrics.published.inc({ type: row.type });
      return 'published';
    }
    metrics.unroutable.inc({ type: row.type });
    const { id: message_id, exchange, routing_key } = row;
    log.error({ message_id, exchange, routing_key }, 'no queue takes this message; it stays in the outbox');
    return 'later';
  };

  return {
    nudge: news.ring,
    work: async ({ channel, lost, stop }) => {
      await declareOrderEvents(channel);
      const publish = publisher(channel);
      const ended = AbortSignal.any([lost, stop]);
      while (!ended.aborted) {
        const batch = await relayBatch(pool, batchSize, (row) => settle(publish, row));
        if (batch.failures.length > 0) throw batch.failures[0];
        if (batch.later > 0) await declareOrderEvents(channel);
        if (batch.claimed < batchSize) await news.heard(pollMs, ended);
      }
    },
  };
}

/** One message, in a span of the trace that caused it. */
function publishRow(publish: Publish, row: OutboxRow): Promise<Delivery> {
  const options = {
    kind: SpanKind.PRODUCER,
    parent: extractContext({ traceparent: row.traceparent ?? undefined }),
    attributes: {
      'messaging.system': 'rabbitmq',
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'publish',
      'messaging.destination.name': `${row.exchange}:${row.routing_key}`,
      'messaging.rabbitmq.destination.routing_key': row.routing_key,
      'messaging.message.id': row.id,
    },
  };
  return withSpan(`publish ${row.exchange}`, options, () => {
    const trace: Record<string, string> = {};
    injectContext(trace);
    const headers = {
      [eventHeaders.schemaVersion]: row.schema_version,
      [eventHeaders.createdAt]: row.created_at.toISOString(),
      ...trace,
    };
    const { id, type, body, exchange } = row;
    return publish({ exchange, routingKey: row.routing_key }, { id, type, body, headers });
  });
}
