import { type database, query } from '@microservice-platform/common';
import type { Product, Products } from './products.ts';

/** `numeric` arrives as text: a double could not hold all of it. Ours have two decimals, so a number can. */
interface Row {
  readonly id: number;
  readonly name: string;
  readonly price: string;
}

/** The greatest id that the column can hold; no product lies beyond it. */
const maxId = 2_147_483_647;

/** Products in PostgreSQL. */
export function storedProducts(pool: ReturnType<typeof database>): Products {
  return {
    find: async (id, signal) => {
      if (!possible(id)) return undefined;
      const { rows } = await query<Row>(pool, 'SELECT id, name, price FROM products WHERE id = $1', [id], signal);
      return rows.map(productOf)[0];
    },
    following: async (after, count, signal) => {
      const { rows } = await query<Row>(
        pool,
        'SELECT id, name, price FROM products WHERE id > $1 ORDER BY id LIMIT $2',
        [Math.min(after, maxId), count],
        signal,
      );
      return rows.map(productOf);
    },
    add: async ({ name, price }, signal) => {
      const { rows } = await query<{ id: number }>(
        pool,
        'INSERT INTO products (name, price) VALUES ($1, $2) RETURNING id',
        [name, price],
        signal,
      );
      const id = rows[0]?.id;
      if (id === undefined) throw new Error('INSERT INTO products returned no row');
      return { id, name, price };
    },
    replace: async ({ id, name, price }, signal) => {
      if (!possible(id)) return false;
      const values = [id, name, price];
      const { rowCount } = await query(pool, 'UPDATE products SET name = $2, price = $3 WHERE id = $1', values, signal);
      return rowCount === 1;
    },
    remove: async (id, signal) => {
      if (!possible(id)) return false;
      const { rowCount } = await query(pool, 'DELETE FROM products WHERE id = $1', [id], signal);
      return rowCount === 1;
    },
  };
}

function possible(id: number): boolean {
  return id >= 1 && id <= maxId;
}

function productOf({ id, name, price }: Row): Product {
  return { id, name, price: Number(price) };
}
