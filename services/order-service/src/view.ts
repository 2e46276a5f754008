import { transaction } from '@microservice-platform/common';
import type { Pool, PoolClient } from 'pg';
import { readHistory } from './history.ts';
import { type Order, orderOf, type VersionedOrder } from './order.ts';

/** The columns of the table `orders` that a reader is given. */
interface Row {
  readonly id: string;
  readonly product_id: number;
  readonly quantity: number;
  readonly user_id: string;
  readonly status: Order['status'];
  /** `numeric` arrives as text: a double could not hold all of it. Ours fit. */
  readonly total: string;
  readonly created_at: Date;
  readonly details: Partial<Pick<Order, 'degraded' | 'reason' | 'steps'>>;
}

export const columns = 'id, product_id, quantity, user_id, status, total, created_at, details';

/** An order as the view has it. */
export function viewed({ details, total, created_at, ...row }: Row): Order {
  return {
    ...row,
    total: Number(total),
    created_at: created_at.toISOString(),
    degraded: [],
    reason: null,
    steps: [],
    ...details,
  };
}

/** Brings the view in line with an order, inside the transaction that changes the order. */
export async function project(client: PoolClient, order: VersionedOrder): Promise<void> {
  const { degraded, reason, steps } = order;
  await client.query(
    `INSERT INTO orders (id, product_id, quantity, user_id, status, total, created_at, details)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, details = excluded.details`,
    [
      order.id,
      order.product_id,
      order.quantity,
      order.user_id,
      order.status,
      order.total,
      order.created_at,
      JSON.stringify({ degraded, reason, steps }),
    ],
  );
}

/**
 * Makes the view anew from the events, in one transaction; writers wait meanwhile. Orders keep their sequence, but for
 * such as were placed at the same moment.
 *
 * @returns how many orders there are
 */
export async function rebuildView(pool: Pool): Promise<number> {
  return transaction(pool, async (client) => {
    await client.query('SET LOCAL statement_timeout = 0');
    await client.query('LOCK TABLE order_events, orders IN EXCLUSIVE MODE');
    await client.query('DELETE FROM orders');
    const { rows } = await client.query<{ order_id: string }>(
      'SELECT order_id FROM order_events WHERE version = 1 ORDER BY position',
    );
    for (const { order_id } of rows) await project(client, orderOf(order_id, await readHistory(client, order_id)));
    return rows.length;
  });
}
