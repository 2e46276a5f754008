import type { Migration } from '@microservice-platform/common';

/** The schema of the database `notification`, in the order it grew. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'notifications',
    sql: `
      CREATE TABLE notifications (
        id uuid PRIMARY KEY,
        order_id uuid NOT NULL,
        user_id text NOT NULL,
        message text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX notifications_of_order ON notifications (order_id, created_at);
      -- Which messages were dealt with: the broker may deliver each more than once.
      CREATE TABLE processed_messages (
        id text PRIMARY KEY,
        processed_at timestamptz NOT NULL DEFAULT now()
      );
    `,
  },
  {
    version: 2,
    name: 'forgetting messages',
    sql: 'CREATE INDEX processed_messages_by_age ON processed_messages (processed_at)',
  },
];
