import { Problem, query } from '@microservice-platform/common';
import type { Pool } from 'pg';
import type { Credentials, User, Users } from './users.ts';

interface Row extends Omit<User, 'created_at'> {
  readonly created_at: Date;
}

const columns = 'id, name, email, created_at';
/** Comes before every other id. */
const lowestId = '00000000-0000-0000-0000-000000000000';

/** Users in PostgreSQL. Each method is one statement, so that cancelling it leaves nothing half done. */
export function storedUsers(pool: Pool): Users {
  const usersOf = async (signal: AbortSignal, text: string, values: unknown[]) => {
    const { rows } = await query<Row>(pool, text, values, signal).catch(rethrowTaken);
    return rows.map((row): User => ({ ...row, created_at: row.created_at.toISOString() }));
  };
  return {
    find: async (id, signal) => (await usersOf(signal, `SELECT ${columns} FROM users WHERE id = $1`, [id]))[0],

    following: (after = lowestId, count, signal) =>
      usersOf(signal, `SELECT ${columns} FROM users WHERE id > $1 ORDER BY id LIMIT $2`, [after, count]),

    add: async ({ name, email }, passwordHash, signal) => {
      const [added] = await usersOf(
        signal,
        `WITH added AS (INSERT INTO users (name, email) VALUES ($1, $2) RETURNING ${columns}),
              kept AS (INSERT INTO passwords SELECT id, $3 FROM added WHERE $3::text IS NOT NULL)
         SELECT ${columns} FROM added`,
        [name, email, passwordHash],
      );
      if (added === undefined) throw new Error('INSERT INTO users returned no row');
      return added;
    },

    replace: async (id, { name, email }, signal) => {
      const text = `UPDATE users SET name = $2, email = $3 WHERE id = $1 RETURNING ${columns}`;
      return (await usersOf(signal, text, [id, name, email]))[0];
    },

    remove: async (id, signal) =>
      (await usersOf(signal, `DELETE FROM users WHERE id = $1 RETURNING ${columns}`, [id]))[0],

    credentials: async (email, signal) => {
      const { rows } = await query<{ id: string; hash: string | null }>(
        pool,
        `SELECT id, hash FROM users LEFT JOIN passwords ON user_id = id
         WHERE lower(email COLLATE "C") = lower($1::text COLLATE "C")`,
        [email],
        signal,
      );
      return rows.map(({ id, hash }): Credentials => ({ id, passwordHash: hash ?? undefined }))[0];
    },
  };
}

/** The index on emails is the only one that a request can run into. */
function rethrowTaken(error: unknown): never {
  if (error instanceof Error && 'constraint' in error && error.constraint === 'users_email') {
    const message = 'email belongs to another user';
    throw new Problem('conflict', message, { errors: [{ field: 'email', message }], cause: error });
  }
  throw error;
}
