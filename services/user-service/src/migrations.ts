import type { Migration } from '@microservice-platform/common';

/**
 * The schema of the database `users`, in the order it grew. Passwords are kept apart: no reader of users, and no error
 * that quotes a row of theirs, ever holds one. Emails are compared in the collation C, which knows no country.
 */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'users',
    sql: `
      CREATE TABLE users (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
        email text NOT NULL CHECK (length(email) <= 254),
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX users_email ON users (lower(email COLLATE "C"));
      CREATE TABLE passwords (
        user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
        hash text NOT NULL
      )`,
  },
];
