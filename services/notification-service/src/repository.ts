import { query, transaction } from '@microservice-platform/common';
import type { Pool } from 'pg';
import type { Notification, Notifications } from './notifications.ts';

interface Row extends Omit<Notification, 'created_at'> {
  readonly created_at: Date;
}

/** More than any order has. */
const maxPerOrder = 100;

/** Notifications in PostgreSQL. */
export function storedNotifications(pool: Pool): Notifications {
  return {
    addOnce: (messageId, { id, order_id, user_id, message }) =>
      transaction(pool, async (client) => {
        const { rowCount } = await client.query(
          'INSERT INTO processed_messages (id) VALUES ($1) ON CONFLICT DO NOTHING',
          [messageId],
        );
        if (rowCount === 0) return false;
        await client.query('INSERT INTO notifications (id, order_id, user_id, message) VALUES ($1, $2, $3, $4)', [
          id,
          order_id,
          user_id,
          message,
        ]);
        return true;
      }),

    ofOrder: async (orderId) => {
      const { rows } = await query<Row>(
        pool,
        `SELECT id, order_id, user_id, message, created_at FROM notifications
         WHERE order_id = $1 ORDER BY created_at, id LIMIT $2`,
        [orderId, maxPerOrder],
      );
      return rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() }));
    },
  };
}
