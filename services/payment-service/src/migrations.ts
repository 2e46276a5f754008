import type { Migration } from '@microservice-platform/common';

/** The schema of the database `payment`, in the order it grew. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'payments',
    sql: `
      -- A refund of an order never seen is kept without a user: it stands in the way of a charge that is late.
      CREATE TABLE payments (
        order_id uuid PRIMARY KEY,
        user_id text,
        amount numeric(16, 2) NOT NULL CHECK (amount >= 0),
        status text NOT NULL CHECK (status IN ('charged', 'declined', 'refunded')),
        created_at timestamptz NOT NULL DEFAULT now(),
        refunded_at timestamptz CHECK ((refunded_at IS NOT NULL) = (status = 'refunded')),
        CHECK (user_id IS NOT NULL OR (status = 'refunded' AND amount = 0))
      )`,
  },
];
