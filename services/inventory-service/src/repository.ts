import { query, transaction } from '@microservice-platform/common';
import type { Pool } from 'pg';
import { outOfStock, type Reservation, type Reservations } from './reservations.ts';
import type { Stock, Stocks } from './stock.ts';

/** `bigint` arrives as text: a double could not hold all of it. Ours are far smaller. */
interface StockRow {
  readonly product_id: number;
  readonly available: string;
  readonly reserved: string;
}

interface ReservationRow extends Omit<Reservation, 'quantity' | 'created_at' | 'released_at'> {
  readonly quantity: string;
  readonly created_at: Date;
  readonly released_at: Date | null;
}

const stockColumns = 'product_id, available, reserved';
const columns = 'order_id, product_id, quantity, status, created_at, released_at';

/** Stock in PostgreSQL. */
export function storedStock(pool: Pool): Stocks {
  return {
    find: async (productId) => {
      const { rows } = await query<StockRow>(pool, `SELECT ${stockColumns} FROM stock WHERE product_id = $1`, [
        productId,
      ]);
      return rows.map(stockOfRow)[0];
    },

    set: (productId, available) =>
      transaction(pool, async (client) => {
        const added = await client.query<StockRow>(
          `INSERT INTO stock (product_id, available) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING ${stockColumns}`,
          [productId, available],
        );
        const created = added.rows[0] !== undefined;
        const { rows } = created
          ? added
          : await client.query<StockRow>(
              `UPDATE stock SET available = $2 WHERE product_id = $1 RETURNING ${stockColumns}`,
              [productId, available],
            );
        return { created, stock: only(rows.map(stockOfRow)) };
      }),
  };
}

/**
 * Reservations in PostgreSQL. Every change locks the order first and the stock of its product second: requests for one
 * order wait for each other, none sees half of another, and no two can wait for each other in a circle.
 */
export function storedReservations(pool: Pool): Reservations {
  return {
    find: async (orderId) => {
      const { rows } = await query<ReservationRow>(pool, `SELECT ${columns} FROM reservations WHERE order_id = $1`, [
        orderId,
      ]);
      return rows.map(reservationOfRow)[0];
    },

    addOnce: (wanted) =>
      transaction(pool, async (client) => {
        const { order_id, product_id, quantity } = wanted;
        const added = await client.query<ReservationRow>(
          `INSERT INTO reservations (order_id, product_id, quantity, status) VALUES ($1, $2, $3, 'reserved')
           ON CONFLICT DO NOTHING RETURNING ${columns}`,
          [order_id, product_id, quantity],
        );
        if (added.rows[0] === undefined) {
          const kept = await client.query<ReservationRow>(`SELECT ${columns} FROM reservations WHERE order_id = $1`, [
            order_id,
          ]);
          return { made: false, reservation: only(kept.rows.map(reservationOfRow)) };
        }
        const taken = await client.query(
          `UPDATE stock SET available = available - $2, reserved = reserved + $2
           WHERE product_id = $1 AND available >= $2`,
          [product_id, quantity],
        );
        if (taken.rowCount === 0) throw outOfStock(wanted);
        return { made: true, reservation: only(added.rows.map(reservationOfRow)) };
      }),

    release: (orderId) =>
      transaction(pool, async (client) => {
        const released = await client.query<ReservationRow>(
          `INSERT INTO reservations (order_id, quantity, status, released_at) VALUES ($1, 0, 'released', now())
           ON CONFLICT (order_id) DO UPDATE SET status = 'released', released_at = now()
           WHERE reservations.status = 'reserved'
           RETURNING ${columns}`,
          [orderId],
        );
        const { rows } =
          released.rows[0] === undefined // it was released before
            ? await client.query<ReservationRow>(`SELECT ${columns} FROM reservations WHERE order_id = $1`, [orderId])
            : released;
        const reservation = only(rows.map(reservationOfRow));
        if (released.rows[0] !== undefined && reservation.product_id !== null) {
          await client.query(
            'UPDATE stock SET available = available + $2, reserved = reserved - $2 WHERE product_id = $1',
            [reservation.product_id, reservation.quantity],
          );
        }
        return reservation;
      }),
  };
}

function stockOfRow({ product_id, available, reserved }: StockRow): Stock {
  return { product_id, available: Number(available), reserved: Number(reserved) };
}

function reservationOfRow(row: ReservationRow): Reservation {
  return {
    ...row,
    quantity: Number(row.quantity),
    created_at: row.created_at.toISOString(),
    released_at: row.released_at?.toISOString() ?? null,
  };
}

function only<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error('the database returned no row where one must be');
  return row;
}
