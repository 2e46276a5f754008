import pg from 'pg';
import { type Logger, pino } from 'pino';
import type { Registry } from 'prom-client';
import { Problem } from '../serving/problem.ts';
import { cancelStatement } from './cancellation.ts';
import { showPool } from './pool-metrics.ts';
import { TracedClient } from './traced-client.ts';

export interface DatabaseSettings {
  readonly dbHost: string;
  readonly dbPort: number;
  readonly dbUser: string;
  readonly dbPassword: string;
  readonly dbName: string;
}

/** What the modules of a service need of its log. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Enough for a service that answers in milliseconds; five replicas stay below PostgreSQL's default of 100. */
const poolSize = 10;
/** The deadline of every outbound call. The server gives up first, so that its answer says why. */
const outboundMs = 5000;
const serverGraceMs = 500;

/**
 * A bounded pool of connections to the service's own database. Opens nothing until the first query.
 * No query and no wait for a connection lasts longer than five seconds, and a connection that breaks while idle
 * (the server restarted) is logged and replaced, never fatal. `registry` shows how far the pool is used up.
 */
export function database(
  settings: DatabaseSettings,
  log: Log = pino({ name: 'postgres' }),
  registry?: Registry,
): pg.Pool {
  const pool = new pg.Pool({
    Client: TracedClient,
    host: settings.dbHost,
    port: settings.dbPort,
    user: settings.dbUser,
    password: settings.dbPassword,
    database: settings.dbName,
    max: poolSize,
    connectionTimeoutMillis: outboundMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: outboundMs - serverGraceMs,
    query_timeout: outboundMs,
    idle_in_transaction_session_timeout: 2 * outboundMs,
  });
  // Only the message: the driver hangs the whole connection, its cancel key included, on the error.
  pool.on('error', (error) => log.warn({ reason: error.message }, 'idle database connection lost'));
  // The pool listens only while a connection is idle: one that breaks while it is being lent, or between two
  // statements, would end the process. Whoever uses it learns of it from the next statement.
  pool.on('connect', (client) => client.on('error', () => undefined));
  if (registry !== undefined) showPool(registry, pool);
  return pool;
}

/** Answers when the database does; otherwise a Problem `unavailable`. For readiness checks. */
export async function ping(pool: pg.Pool): Promise<void> {
  await query(pool, 'SELECT 1');
}

/**
 * One statement on any free connection. A database that cannot be reached is a Problem `unavailable`.
 * Once `signal` aborts, the statement is cancelled at the server and the call rejects with the signal's reason, unless
 * the statement was faster; the connection stays usable. A statement that was not sent yet is not sent at all.
 */
export async function query<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: unknown[] = [],
  signal?: AbortSignal,
): Promise<pg.QueryResult<Row>> {
  signal?.throwIfAborted();
  return withConnection(pool, async (client, discard) => {
    signal?.throwIfAborted();
    const ended = new AbortController();
    let cancelled: Promise<void> | undefined;
    const cancel = () => {
      cancelled = cancelStatement(client, pool.options, ended.signal).catch(discard);
    };
    signal?.addEventListener('abort', cancel);
    try {
      return await client.query<Row>(text, values);
    } catch (error) {
      if (codeOf(error) === queryCanceled) signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      ended.abort();
      await cancelled; // a request still on its way would hit whoever gets the connection next
    }
  });
}

/**
 * Runs `work` inside one transaction: everything it did is kept when it returns, nothing when it throws.
 * A database that cannot be reached is a Problem `unavailable`; other errors pass through as they are.
 */
export async function transaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return withConnection(pool, async (client, discard) => {
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      // A connection that does not answer is not asked again: closing it rolls back, too.
      if (!isUnreachable(error)) await client.query('ROLLBACK').catch(discard);
      throw error;
    }
  });
}

/** Lends `work` a connection. One that broke, or that `work` discards, is closed instead of going back to the pool. */
async function withConnection<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient, discard: () => void) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw asProblem(error);
  });
  let broken = false;
  const discard = () => {
    broken = true;
  };
  try {
    return await work(client, discard);
  } catch (error) {
    if (isUnreachable(error)) discard();
    throw asProblem(error);
  } finally {
    client.release(broken);
  }
}

/** True for failures of the connection or the server itself: the same statement may succeed later. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return serverStates.test(code) || socketCodes.has(code) || driverMessages.test(error.message);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** What a statement ends with that was cancelled, by us or by its deadline. */
const queryCanceled = '57014';
/** Connection exceptions, insufficient resources, operator intervention (restart, statement deadline). */
const serverStates = /^(08|53|57)[0-9A-Z]{3}$|^25P03$/;
const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** The driver reports these without a code. */
const driverMessages =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error)/;

function asProblem(error: unknown): unknown {
  if (!isUnreachable(error)) return error;
  return new Problem('unavailable', 'the database does not answer; try again in a moment', { cause: error });
}
