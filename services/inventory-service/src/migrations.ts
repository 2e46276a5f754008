import type { Migration } from '@microservice-platform/common';

/** The schema of the database `inventory`, in the order it grew. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'stock and reservations',
    sql: `
      CREATE TABLE stock (
        product_id integer PRIMARY KEY,
        available bigint NOT NULL CHECK (available >= 0),
        reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0)
      );
      -- A release of an order never seen is kept without a product: it stands in the way of a reserve that is late.
      CREATE TABLE reservations (
        order_id uuid PRIMARY KEY,
        product_id integer,
        quantity bigint NOT NULL CHECK (quantity >= 0),
        status text NOT NULL CHECK (status IN ('reserved', 'released')),
        created_at timestamptz NOT NULL DEFAULT now(),
        released_at timestamptz CHECK ((released_at IS NOT NULL) = (status = 'released')),
        CHECK (CASE WHEN product_id IS NULL THEN status = 'released' AND quantity = 0 ELSE quantity > 0 END)
      )`,
  },
  {
    version: 2,
    name: 'first stock',
    sql: 'INSERT INTO stock (product_id, available) SELECT generate_series(1, 5), 100000',
  },
];
