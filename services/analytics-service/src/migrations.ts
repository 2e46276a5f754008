import type { Migration } from '@microservice-platform/common';

/** The schema of the database `analytics`, in the order it grew. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'product counts',
    sql: `
      CREATE TABLE product_counts (
        product_id integer PRIMARY KEY,
        created bigint NOT NULL DEFAULT 0,
        completed bigint NOT NULL DEFAULT 0,
        compensated bigint NOT NULL DEFAULT 0,
        quantity bigint NOT NULL DEFAULT 0
      );
      -- Which messages were dealt with: the broker may deliver each more than once.
      CREATE TABLE processed_messages (
        id text PRIMARY KEY,
        processed_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX processed_messages_by_age ON processed_messages (processed_at);
    `,
  },
];
