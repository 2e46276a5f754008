import { injectContext, query } from '@microservice-platform/common';
import type { Pool, PoolClient } from 'pg';

/** An order that is waiting for its next step. */
export interface Due {
  readonly order_id: string;
  /** Until then it must get through; afterwards it is compensated. */
  readonly deadline_at: Date;
  /** In a row without an outcome, this one included. */
  readonly attempts: number;
  /** The trace in which the order was placed. */
  readonly traceparent: string | null;
}

/** What a waiting order waits for. */
export interface Waiting {
  readonly attempts: number;
  /** What went wrong last. */
  readonly reason: string | null;
  /** RFC 3339. */
  readonly next_attempt_at: string;
}

/** Makes a new order due at once, inside the transaction that places it. */
export async function begin(client: PoolClient, id: string, deadlineMs: number): Promise<void> {
  const carrier: Record<string, string> = {};
  injectContext(carrier);
  await client.query(
    `INSERT INTO sagas (order_id, deadline_at, traceparent) VALUES ($1, now() + $2 * interval '1 ms', $3)`,
    [id, deadlineMs, carrier.traceparent ?? null],
  );
}

/**
 * Takes up to `limit` due orders for `leaseMs`: nobody else takes them meanwhile, and if this process dies they are
 * due again when the lease ends.
 */
export async function claim(pool: Pool, limit: number, leaseMs: number): Promise<readonly Due[]> {
  const { rows } = await query<Due>(
    pool,
    // MATERIALIZED: there are plans that look for due orders once more for each one found, and take more than asked for.
    `WITH due AS MATERIALIZED (
       SELECT order_id FROM sagas WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     UPDATE sagas SET due_at = now() + $2 * interval '1 ms', attempts = attempts + 1
     FROM due WHERE sagas.order_id = due.order_id
     RETURNING sagas.order_id, deadline_at, attempts, traceparent`,
    [limit, leaseMs],
  );
  return rows;
}

/** After an outcome, inside its transaction: the lease begins anew for the next step, or the order needs none any more. */
export async function moveOn(
  client: PoolClient,
  id: string,
  next: { readonly leaseMs: number } | 'ended',
): Promise<void> {
  if (next === 'ended') await client.query('DELETE FROM sagas WHERE order_id = $1', [id]);
  else {
    await client.query(
      `UPDATE sagas SET due_at = now() + $2 * interval '1 ms', attempts = 0, last_error = NULL WHERE order_id = $1`,
      [id, next.leaseMs],
    );
  }
}

/** After no outcome: due again in `pauseMs`. */
export async function postpone(pool: Pool, id: string, pauseMs: number, reason: string | null): Promise<void> {
  await query(pool, `UPDATE sagas SET due_at = now() + $2 * interval '1 ms', last_error = $3 WHERE order_id = $1`, [
    id,
    pauseMs,
    reason?.slice(0, 500) ?? null,
  ]);
}

/** What an order waits for; null for one that has ended. */
export async function waitingFor(pool: Pool, id: string): Promise<Waiting | null> {
  const { rows } = await query<{ attempts: number; last_error: string | null; due_at: Date }>(
    pool,
    'SELECT attempts, last_error, due_at FROM sagas WHERE order_id = $1',
    [id],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return { attempts: row.attempts, reason: row.last_error, next_attempt_at: row.due_at.toISOString() };
}

/** How many orders have not ended, and the age of the oldest of them; 0 when there is none. */
export async function unfinishedOrders(
  pool: Pool,
): Promise<{ readonly count: number; readonly oldestSeconds: number }> {
  const { rows } = await query<{ count: number; oldest: number }>(
    pool,
    `SELECT count(*)::integer AS count,
            coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest
     FROM sagas JOIN orders ON id = order_id`,
  );
  return { count: rows[0]?.count ?? 0, oldestSeconds: rows[0]?.oldest ?? 0 };
}
