import { Problem, query, transaction } from '@microservice-platform/common';
import type { Pool } from 'pg';
import { type Order, type Orders, orderCreated } from './orders.ts';
import { addOrderCreated } from './outbox.ts';

/** `numeric` arrives as text: a double could not hold all of it. Ours fit. */
interface Row extends Omit<Order, 'total' | 'created_at'> {
  readonly total: string;
  readonly created_at: Date;
}

const columns = 'id, product_id, quantity, user_id, status, total, created_at';

/** Orders in PostgreSQL. */
export function storedOrders(pool: Pool): Orders {
  return {
    add: (order) =>
      transaction(pool, async (client) => {
        const { rows } = await client.query<Row>(
          `INSERT INTO orders (id, product_id, quantity, user_id, status, total)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
          [order.id, order.product_id, order.quantity, order.user_id, order.status, order.total],
        );
        await addOrderCreated(client, orderCreated(order));
        const [added] = rows.map(orderOf);
        if (added === undefined) throw new Error('INSERT INTO orders returned no row');
        return added;
      }),

    find: async (id) => {
      const { rows } = await query<Row>(pool, `SELECT ${columns} FROM orders WHERE id = $1`, [id]);
      return rows.map(orderOf)[0];
    },

    page: async ({ limit, after }) => {
      const { rows } = await query<Row>(
        pool,
        `SELECT ${columns} FROM orders WHERE position > $1 ORDER BY position LIMIT $2`,
        [after === undefined ? 0 : await positionOf(pool, after), limit + 1],
      );
      const items = rows.slice(0, limit).map(orderOf);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  };
}

function orderOf(row: Row): Order {
  return { ...row, total: Number(row.total), created_at: row.created_at.toISOString() };
}

async function positionOf(pool: Pool, id: string): Promise<string> {
  const { rows } = await query<{ position: string }>(pool, 'SELECT position FROM orders WHERE id = $1', [id]);
  if (rows[0] !== undefined) return rows[0].position;
  const message = 'after is not the id of an order';
  throw new Problem('invalid_request', message, { errors: [{ field: 'after', message }] });
}
