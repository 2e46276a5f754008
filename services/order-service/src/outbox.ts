import { randomUUID } from 'node:crypto';
import { injectContext, linksTo, query, SpanKind, transaction, withSpan } from '@microservice-platform/common';
import { type OrderEventType, orderEvents, orderEventTypes } from '@microservice-platform/common/order-events';
import type { Pool, PoolClient } from 'pg';
import type { Order } from './order.ts';
import { orderNews } from './orders.ts';

/** A message on its way to the broker. */
export interface OutboxRow {
  readonly id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly exchange: string;
  readonly routing_key: string;
  readonly body: string;
  /** The trace in which the message came to be. */
  readonly traceparent: string | null;
  readonly created_at: Date;
}

/** What became of a claimed row: `later` rows stay, and are due again after a pause that doubles up to a minute. */
export type Fate = 'published' | 'later';

export interface Batch {
  readonly claimed: number;
  readonly later: number;
  /** What `send` threw; the rows are due again at once. */
  readonly failures: readonly unknown[];
}

/** Writes the news of an order into the transaction that makes it true. */
export async function addMessage(client: PoolClient, type: OrderEventType, order: Order): Promise<void> {
  const carrier: Record<string, string> = {};
  injectContext(carrier);
  await client.query(
    `INSERT INTO outbox (id, type, schema_version, exchange, routing_key, body, traceparent)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      randomUUID(),
      type,
      orderEvents.schemaVersion,
      orderEvents.exchange,
      orderEventTypes[type].routingKey,
      JSON.stringify(orderNews(order)),
      carrier.traceparent ?? null,
    ],
  );
}

/**
 * Claims up to `limit` due rows, sends each, and removes those that were published. A claim is a row lock: it ends
 * with the transaction, so the rows of a replica that dies are free at once, and replicas never share a row.
 * The work on a batch has a trace of its own, linked to those in which its messages came to be.
 */
export async function relayBatch(pool: Pool, limit: number, send: (row: OutboxRow) => Promise<Fate>): Promise<Batch> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query<OutboxRow>(
      `SELECT id, type, schema_version, exchange, routing_key, body, traceparent, created_at
       FROM outbox WHERE due_at <= now() ORDER BY due_at, position LIMIT $1 FOR UPDATE SKIP LOCKED`,
      [limit],
    );
    if (rows.length === 0) return { claimed: 0, later: 0, failures: [] };
    const links = rows.flatMap(({ traceparent }) => linksTo({ traceparent: traceparent ?? undefined }));
    const attributes = { 'messaging.batch.message_count': rows.length };
    const options = { kind: SpanKind.INTERNAL, attributes, links };
    return withSpan('relay outbox', options, () => sendClaimed(client, rows, send));
  });
}

async function sendClaimed(
  client: PoolClient,
  rows: readonly OutboxRow[],
  send: (row: OutboxRow) => Promise<Fate>,
): Promise<Batch> {
  const failures: unknown[] = [];
  const attempt = (row: OutboxRow) =>
    send(row).catch((error: unknown) => {
      failures.push(error);
      return 'failed' as const;
    });
  const fates = await Promise.all(rows.map(attempt));
  const idsOf = (fate: Fate) => rows.filter((_, index) => fates[index] === fate).map((row) => row.id);
  const [published, later] = [idsOf('published'), idsOf('later')];
  if (published.length > 0) await client.query('DELETE FROM outbox WHERE id = ANY($1::uuid[])', [published]);
  if (later.length > 0) await client.query(postpone, [later]);
  return { claimed: rows.length, later: later.length, failures };
}

const postpone = `
  UPDATE outbox SET attempts = attempts + 1, due_at = now() + least(60, 2 ^ least(attempts, 6)) * interval '1 second'
  WHERE id = ANY($1::uuid[])`;

export interface Backlog {
  readonly pending: number;
  readonly oldestSeconds: number;
}

/** How many messages wait, and for how long the oldest one has waited. */
export async function outboxBacklog(pool: Pool): Promise<Backlog> {
  const { rows } = await query<{ pending: number; oldest: number }>(
    pool,
    `SELECT count(*)::integer AS pending,
            coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest
     FROM outbox`,
  );
  return { pending: rows[0]?.pending ?? 0, oldestSeconds: rows[0]?.oldest ?? 0 };
}
