import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from './postgres.ts';

export interface Migration {
  /** Ascending from 1. */
  readonly version: number;
  readonly name: string;
  /** Never edited once released: a change of the schema is a new migration. */
  readonly sql: string;
}

export interface MigrationLimits {
  /** How long a database that does not answer yet is waited for. */
  readonly waitMs: number;
}

const defaultLimits: MigrationLimits = { waitMs: 60_000 };
const retryMs = 500;
const tellEveryMs = 5000;
/** Longer than any other replica may hold the lock. */
const lockMs = 120_000;
const statementMs = 60_000;

/**
 * Brings the schema of the pool's database up to date: all missing migrations in one transaction, or none.
 * Replicas that start at the same time take turns by an advisory lock; the later ones find nothing to do.
 * Refuses a migration whose text was changed after it was applied. Migrations of a newer release are left alone,
 * so that a rollback starts.
 */
export async function migrate(
  pool: pg.Pool,
  migrations: readonly Migration[],
  log: Log,
  limits: MigrationLimits = defaultLimits,
): Promise<void> {
  requireAscending(migrations);
  const client = await connectWhenUp(pool, log, limits.waitMs);
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = ${lockMs}`);
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('schema_migrations'))`);
    const missing = missingMigrations(migrations, await appliedMigrations(client));
    for (const migration of missing) await apply(client, migration, log);
    await client.query('COMMIT');
    log.info(
      { applied: missing.length, schema_version: migrations.at(-1)?.version ?? 0 },
      'database schema is up to date',
    );
  } finally {
    await client.end();
  }
}

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/** Which migrations are still to be applied, in order. Throws when the history and the program disagree. */
export function missingMigrations(migrations: readonly Migration[], applied: readonly Applied[]): readonly Migration[] {
  const history = new Map(applied.map((it) => [it.version, it]));
  const newest = Math.max(0, ...history.keys());
  return migrations.filter((migration) => {
    const before = history.get(migration.version);
    if (before === undefined && migration.version < newest)
      throw new Error(`${label(migration)} is older than the schema (${newest}): give it the next free version`);
    if (before !== undefined && before.checksum !== checksum(migration))
      throw new Error(`${label(migration)} was changed after it was applied: restore its text, add a new migration`);
    return before === undefined;
  });
}

async function appliedMigrations(client: pg.Client): Promise<readonly Applied[]> {
  await client.query(`
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version integer PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
  const { rows } = await client.query<Applied>('SELECT version, name, checksum FROM schema_migrations');
  return rows;
}

async function apply(client: pg.Client, migration: Migration, log: Log): Promise<void> {
  try {
    await client.query(migration.sql);
  } catch (error) {
    throw new Error(`${label(migration)} failed: ${messageOf(error)}`, { cause: error });
  }
  await client.query('INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
    migration.version,
    migration.name,
    checksum(migration),
  ]);
  log.info({ schema_version: migration.version, migration: migration.name }, 'migration applied');
}

/** A connection of its own: a migration may take longer than the pool's deadlines allow. */
async function connectWhenUp(pool: pg.Pool, log: Log, waitMs: number): Promise<pg.Client> {
  const { host, port, user, password, database } = pool.options;
  const where = `database ${database} at ${host}:${port}`;
  const start = Date.now();
  for (let told = Number.NEGATIVE_INFINITY; ; ) {
    const client = new pg.Client({
      host,
      port,
      user,
      password,
      database,
      connectionTimeoutMillis: 5000,
      statement_timeout: Math.max(lockMs, statementMs),
    });
    client.on('error', (error) => log.warn({ reason: error.message }, 'database connection lost during the migration'));
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (Date.now() - start >= waitMs)
        throw new Error(`${where} did not answer within ${waitMs} ms: ${messageOf(error)}; check the DB_ variables`, {
          cause: error,
        });
      if (Date.now() - told >= tellEveryMs) {
        told = Date.now();
        log.warn({ reason: messageOf(error) }, `waiting for the ${where}`);
      }
    }
    await sleep(retryMs);
  }
}

function requireAscending(migrations: readonly Migration[]): void {
  for (const [index, migration] of migrations.entries())
    if (migration.version <= (migrations[index - 1]?.version ?? 0))
      throw new Error(`${label(migration)} is out of order: versions ascend from 1`);
}

function checksum(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}

function label(migration: Migration): string {
  return `migration ${migration.version} (${migration.name})`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
