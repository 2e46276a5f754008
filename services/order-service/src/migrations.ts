import type { Migration } from '@microservice-platform/common';

/** Applied in order at start. Never edited: a change is a new entry. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'orders and outbox',
    sql: `
      CREATE TABLE orders (
        id uuid PRIMARY KEY,
        position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        product_id integer NOT NULL,
        quantity integer NOT NULL,
        user_id text NOT NULL,
        status text NOT NULL,
        total numeric(16, 2) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      -- Messages that are not yet with the broker; a row goes when the broker has confirmed it.
      CREATE TABLE outbox (
        id uuid PRIMARY KEY,
        position bigint GENERATED ALWAYS AS IDENTITY,
        type text NOT NULL,
        schema_version integer NOT NULL,
        exchange text NOT NULL,
        routing_key text NOT NULL,
        body text NOT NULL,
        traceparent text,
        created_at timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX outbox_due ON outbox (due_at, position);
    `,
  },
];
