import { query } from '@microservice-platform/common';
import type { Pool, PoolClient } from 'pg';
import type { Counts, ProductCounts } from './product-counts.ts';

/** `bigint` arrives as text: a double could not hold all of it. Ours fit. */
type Row = { readonly [Column in keyof ProductCounts]: string | number };

/** The greatest id that the column can hold; no product lies beyond it. */
const maxId = 2_147_483_647;

/** Adds to what is counted for the product, in the transaction of `client`. */
export async function addCounts(client: PoolClient, counts: ProductCounts): Promise<void> {
  const { product_id, created, completed, compensated, quantity } = counts;
  await client.query(
    `INSERT INTO product_counts AS known (product_id, created, completed, compensated, quantity)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (product_id) DO UPDATE SET
       created = known.created + excluded.created,
       completed = known.completed + excluded.completed,
       compensated = known.compensated + excluded.compensated,
       quantity = known.quantity + excluded.quantity`,
    [product_id, created, completed, compensated, quantity],
  );
}

/** The counts in PostgreSQL. */
export function storedCounts(pool: Pool): Counts {
  return {
    following: async (after, count) => {
      const { rows } = await query<Row>(
        pool,
        `SELECT product_id, created, completed, compensated, quantity FROM product_counts
         WHERE product_id > $1 ORDER BY product_id LIMIT $2`,
        [Math.min(after, maxId), count],
      );
      return rows.map(countsOfRow);
    },
  };
}

function countsOfRow({ product_id, created, completed, compensated, quantity }: Row): ProductCounts {
  return {
    product_id: Number(product_id),
    created: Number(created),
    completed: Number(completed),
    compensated: Number(compensated),
    quantity: Number(quantity),
  };
}
