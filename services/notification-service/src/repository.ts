import { query } from '@microservice-platform/common';
import type { Pool, PoolClient } from 'pg';
import type { NewNotification, Notification, Notifications } from './notifications.ts';

interface Row extends Omit<Notification, 'created_at'> {
  readonly created_at: Date;
}

/** More than any order has. */
const maxPerOrder = 100;

/** Keeps the notification, in the transaction of `client`. */
export async function addNotification(client: PoolClient, notification: NewNotification): Promise<void> {
  const { id, order_id, user_id, message } = notification;
  await client.query('INSERT INTO notifications (id, order_id, user_id, message) VALUES ($1, $2, $3, $4)', [
    id,
    order_id,
    user_id,
    message,
  ]);
}

/** Notifications in PostgreSQL. */
export function storedNotifications(pool: Pool): Notifications {
  return {
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
