import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../services/common/src/database/migrations.ts';
import { database, query, transaction } from '../../services/common/src/database/postgres.ts';
import { freePort } from '../support/daemon.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';

const first = { version: 1, name: 'accounts', sql: 'CREATE TABLE account (id integer PRIMARY KEY)' };
/** Slow on purpose, so that two replicas surely meet; not repeatable, so that running it twice fails. */
const second = {
  version: 2,
  name: 'owner',
  sql: 'SELECT pg_sleep(0.3); ALTER TABLE account ADD COLUMN owner text',
};

let server: Postgres;
let own: PostgresDatabase;
let count = 0;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  own = await server.createDatabase(`migrated_${count++}`);
});

describe('migrations', () => {
  it('are applied once, in order, when several replicas start at the same time', async () => {
    const pools = Array.from({ length: 4 }, () => database(settingsOf(own)));
    const logs = pools.map(() => recordingLog());
    await Promise.all(pools.map((pool, index) => migrate(pool, [first, second], logs[index] ?? recordingLog())));
    const { rows } = await query(
      pools[0] ?? database(settingsOf(own)),
      'SELECT version, name FROM schema_migrations ORDER BY version',
    );
    await Promise.all(pools.map((pool) => pool.end()));
    expect(rows).toEqual([
      { version: 1, name: 'accounts' },
      { version: 2, name: 'owner' },
    ]);
    expect(logs.flatMap((log) => log.lines).filter((line) => line.includes('migration applied'))).toHaveLength(2);
  });

  it('change nothing when one of them fails, and say which', async () => {
    const pool = database(settingsOf(own));
    const wrong = { version: 2, name: 'typo', sql: 'ALTER TABEL account' };
    await expect(migrate(pool, [first, wrong], recordingLog())).rejects.toThrow(
      'migration 2 (typo) failed: syntax error at or near "TABEL"',
    );
    await expect(query(pool, 'SELECT * FROM account')).rejects.toThrow('relation "account" does not exist');
    await pool.end();
  });

  it('are refused when their text was changed after they were applied', async () => {
    const pool = database(settingsOf(own));
    await migrate(pool, [first], recordingLog());
    const changed = { ...first, sql: `${first.sql};` };
    await expect(migrate(pool, [changed], recordingLog())).rejects.toThrow(
      'migration 1 (accounts) was changed after it was applied',
    );
    await pool.end();
  });

  it('of a newer release are left alone, so that a rollback starts', async () => {
    const pool = database(settingsOf(own));
    await migrate(pool, [first, second], recordingLog());
    await migrate(pool, [first], recordingLog());
    await pool.end();
  });

  it('wait for a database that is not up yet and say what they wait for', async () => {
    await server.halt();
    const pool = database(settingsOf(own));
    const log = recordingLog();
    const migrated = migrate(pool, [first], log);
    await expect
      .poll(() => log.lines)
      .toContainEqual(expect.stringContaining(`waiting for the database ${own.database}`));
    await server.resume();
    await migrated;
    await pool.end();
  });

  it('give up after the stated time with the address and the cause', async () => {
    const port = await freePort();
    const pool = database({ ...settingsOf(own), dbPort: port });
    await expect(migrate(pool, [first], recordingLog(), { waitMs: 700 })).rejects.toThrow(
      `database ${own.database} at 127.0.0.1:${port} did not answer within 700 ms: connect ECONNREFUSED`,
    );
    await pool.end();
  });
});

describe('a pool', () => {
  it('answers with the problem "unavailable" while the database is away, and works again afterwards', async () => {
    const log = recordingLog();
    const pool = database(settingsOf(own), log);
    await query(pool, 'SELECT 1');
    await server.halt('immediate');
    await expect
      .poll(() => log.lines)
      .toEqual(['{"reason":"Connection terminated unexpectedly"} idle database connection lost']);
    await expect(query(pool, 'SELECT 1')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(transaction(pool, (client) => client.query('SELECT 1'))).rejects.toMatchObject({
      code: 'unavailable',
    });
    await server.resume();
    await expect
      .poll(() =>
        query(pool, 'SELECT 1').then(
          (it) => it.rowCount,
          () => 0,
        ),
      )
      .toBe(1);
    await pool.end();
  });

  it('survives a restart of the database in the middle of a transaction, of which nothing is kept', async () => {
    const pool = database(settingsOf(own));
    await migrate(pool, [first], recordingLog());
    const interrupted = transaction(pool, async (client) => {
      await client.query('INSERT INTO account VALUES (1)');
      await server.restart();
      await client.query('INSERT INTO account VALUES (2)');
    });
    await expect(interrupted).rejects.toMatchObject({ code: 'unavailable' });
    expect((await query(pool, 'SELECT * FROM account')).rows).toEqual([]);
    await pool.end();
  });

  it('ends a statement that takes longer than five seconds as "unavailable"', async () => {
    const pool = database(settingsOf(own));
    const start = Date.now();
    await expect(query(pool, 'SELECT pg_sleep(20)')).rejects.toMatchObject({ code: 'unavailable' });
    expect(Date.now() - start).toBeLessThan(5500);
    await pool.end();
  });
});
