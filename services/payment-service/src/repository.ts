import { query } from '@microservice-platform/common';
import type { Pool } from 'pg';
import type { Payment, Payments } from './payments.ts';

/** `numeric` arrives as text: a double could not hold all of it. Ours fit. */
interface Row extends Omit<Payment, 'amount' | 'created_at' | 'refunded_at'> {
  readonly amount: string;
  readonly created_at: Date;
  readonly refunded_at: Date | null;
}

const columns = 'order_id, user_id, amount, status, created_at, refunded_at';

/** Payments in PostgreSQL. Each change is one statement: requests for one order that meet take turns at its row. */
export function storedPayments(pool: Pool): Payments {
  const find = async (orderId: string) => {
    const { rows } = await query<Row>(pool, `SELECT ${columns} FROM payments WHERE order_id = $1`, [orderId]);
    return rows.map(paymentOfRow)[0];
  };
  /** A payment is never removed: one that stood in the way of a statement is there after it. */
  const kept = async (orderId: string) => {
    const payment = await find(orderId);
    if (payment === undefined) throw new Error(`the payment of order ${orderId} is gone`);
    return payment;
  };
  return {
    find,

    following: async (after, count) => {
      const { rows } = await query<Row>(
        pool,
        `SELECT ${columns} FROM payments WHERE $1::uuid IS NULL OR order_id > $1 ORDER BY order_id LIMIT $2`,
        [after, count],
      );
      return rows.map(paymentOfRow);
    },

    addOnce: async ({ order_id, user_id, amount, status }) => {
      const { rows } = await query<Row>(
        pool,
        `INSERT INTO payments (order_id, user_id, amount, status) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING RETURNING ${columns}`,
        [order_id, user_id, amount, status],
      );
      const [added] = rows.map(paymentOfRow);
      return { made: added !== undefined, payment: added ?? (await kept(order_id)) };
    },

    refund: async (orderId) => {
      const { rows } = await query<Row>(
        pool,
        `INSERT INTO payments (order_id, amount, status, refunded_at) VALUES ($1, 0, 'refunded', now())
         ON CONFLICT (order_id) DO UPDATE SET status = 'refunded', refunded_at = now()
         WHERE payments.status = 'charged'
         RETURNING ${columns}`,
        [orderId],
      );
      return rows.map(paymentOfRow)[0] ?? (await kept(orderId));
    },
  };
}

function paymentOfRow(row: Row): Payment {
  return {
    ...row,
    amount: Number(row.amount),
    created_at: row.created_at.toISOString(),
    refunded_at: row.refunded_at?.toISOString() ?? null,
  };
}
