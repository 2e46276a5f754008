import { getEventListeners, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { database, query, transaction } from '../../services/common/src/database/postgres.ts';
import { settingsOf } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';

const left = new Error('the caller has left');

let server: Postgres;
let own: PostgresDatabase;
let pool: pg.Pool;
let observer: pg.Client;
let count = 0;

beforeAll(async () => {
  server = await startPostgres();
  observer = new pg.Client({ ...server, database: 'postgres' });
  await observer.connect();
});
afterAll(async () => {
  await observer?.end();
  await server?.stop();
});
beforeEach(async () => {
  own = await server.createDatabase(`cancelled_${count++}`);
  pool = poolOf(own);
});
afterEach(() => pool.end());

/** A pool of a single connection, so that the next query surely gets the one of the query before. */
function poolOf(address: PostgresDatabase): pg.Pool {
  const made = database(settingsOf(address));
  made.options.max = 1;
  return made;
}

/** What the server is busy with in our database. */
async function statements(): Promise<readonly string[]> {
  const { rows } = await observer.query<{ query: string }>(
    `SELECT query FROM pg_stat_activity WHERE datname = $1 AND state = 'active'`,
    [own.database],
  );
  return rows.map((row) => row.query);
}

async function session(from: pg.Pool): Promise<unknown> {
  const { rows } = await query<{ pid: number }>(from, 'SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid;
}

describe('a transaction whose connection breaks between two statements', () => {
  it('fails as unavailable, and the pool goes on with a new connection', async () => {
    const interrupted = transaction(pool, async (client) => {
      const ended = new Promise((resolve) => client.once('end', resolve)); // events.once would listen for errors
      await observer.query('SELECT pg_terminate_backend($1)', [
        (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid,
      ]);
      await ended;
      await client.query('SELECT 1');
    });
    await expect(interrupted).rejects.toMatchObject({ code: 'unavailable' });
    expect(await session(pool)).toBeDefined();
  });
});

describe('a query whose caller leaves', () => {
  it('is cancelled at the server, and its connection serves the next one', async () => {
    const before = await session(pool);
    const caller = new AbortController();
    const running = query(pool, 'SELECT pg_sleep(4)', [], caller.signal).catch((error: unknown) => error);
    await eventually(async () => expect(await statements()).toEqual(['SELECT pg_sleep(4)']));

    const started = performance.now();
    caller.abort(left);
    expect(await running).toBe(left);
    expect(await statements()).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await session(pool)).toBe(before);
  });

  it('is cancelled at whatever moment that is', async () => {
    const outcomes = new Set<unknown>();
    const started = performance.now();
    for (let step = 0; step < 60; step++) {
      const caller = new AbortController();
      const running = query(pool, 'SELECT pg_sleep($1)', [1], caller.signal).catch((error: unknown) => error);
      await sleep(step / 20);
      caller.abort(left);
      outcomes.add(await running);
    }
    expect(outcomes).toEqual(new Set([left]));
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('changes nothing', async () => {
    await query(pool, 'CREATE TABLE account (id integer)');
    const caller = new AbortController();
    const insert = 'INSERT INTO account SELECT 1 FROM pg_sleep(2)';
    const running = query(pool, insert, [], caller.signal).catch((error: unknown) => error);
    await eventually(async () => expect(await statements()).toEqual([insert]));
    caller.abort(left);
    expect(await running).toBe(left);
    expect((await query(pool, 'SELECT * FROM account')).rows).toEqual([]);
  });

  it('is not sent when the caller left before, or while it waited for a connection', async () => {
    await query(pool, 'CREATE TABLE account (id integer)');
    const insert = (signal: AbortSignal) => query(pool, 'INSERT INTO account VALUES (1)', [], signal);
    let busy = true;
    const holding = query(pool, 'SELECT pg_sleep(0.2)').finally(() => {
      busy = false;
    });
    await expect(insert(AbortSignal.abort(left))).rejects.toBe(left);
    expect(busy).toBe(true); // not even a connection was waited for

    const caller = new AbortController();
    const waiting = insert(caller.signal);
    caller.abort(left);
    await expect(waiting).rejects.toBe(left);
    await holding;
    expect((await query(pool, 'SELECT * FROM account')).rows).toEqual([]);
  });
});

describe('an abort that comes late', () => {
  it('harms no later query when the one it meant has ended', async () => {
    const caller = new AbortController();
    await query(pool, 'SELECT 1', [], caller.signal);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
    const later = query(pool, 'SELECT pg_sleep(0.3)');
    await eventually(async () => expect(await statements()).toHaveLength(1));
    caller.abort(left);
    await expect(later).resolves.toHaveProperty('rowCount', 1);
  });

  it('harms no later query when the one it meant ends at the same moment', async () => {
    const outcomes: string[] = [];
    for (let step = 0; step < 150; step++) {
      const caller = new AbortController();
      const meant = query(pool, 'SELECT pg_sleep(0.002)', [], caller.signal).then(
        () => 'ended',
        (error: unknown) => (error === left ? 'cancelled' : String(error)),
      );
      setTimeout(() => caller.abort(left), step / 30);
      outcomes.push(await meant);
      await query(pool, 'SELECT pg_sleep(0.002)');
    }
    expect(new Set(outcomes)).toEqual(new Set(['ended', 'cancelled']));
  });

  it('harms no later query when its request for cancelling is slow', async () => {
    const slow = await delaying({ first: 0, later: 400 });
    const behind = poolOf({ ...own, port: slow.port });
    try {
      const caller = new AbortController();
      const meant = query(behind, 'SELECT pg_sleep(0.2)', [], caller.signal);
      await eventually(async () => expect(await statements()).toHaveLength(1));
      caller.abort(left);
      await expect(meant).resolves.toHaveProperty('rowCount', 1); // it was faster
      await expect(query(behind, 'SELECT pg_sleep(0.6)')).resolves.toHaveProperty('rowCount', 1);
    } finally {
      await behind.end();
      await slow.stop();
    }
  });
});

describe('a request for cancelling', () => {
  it('that overtakes its statement is made again', async () => {
    const slow = await delaying({ first: 150, later: 0 });
    const behind = poolOf({ ...own, port: slow.port });
    try {
      await session(behind);
      const caller = new AbortController();
      const started = performance.now();
      const running = query(behind, 'SELECT pg_sleep(4)', [], caller.signal).catch((error: unknown) => error);
      await sleep(20); // the statement is on its way
      caller.abort(left);
      expect(await running).toBe(left);
      expect(performance.now() - started).toBeLessThan(2_000);
    } finally {
      await behind.end();
      await slow.stop();
    }
  });

  it('that does not come through costs the connection, never the next query', async () => {
    const broken = await delaying({ first: 0, later: 'refused' });
    const behind = poolOf({ ...own, port: broken.port });
    try {
      const before = await session(behind);
      const caller = new AbortController();
      const meant = query(behind, 'SELECT pg_sleep(0.2)', [], caller.signal);
      await eventually(async () => expect(await statements()).toHaveLength(1));
      caller.abort(left);
      await expect(meant).resolves.toHaveProperty('rowCount', 1);
      broken.heal();
      expect(await session(behind)).not.toBe(before);
    } finally {
      await behind.end();
      await broken.stop();
    }
  });
});

type Passage = number | 'refused';

/** Stands before the server. What its first client says arrives so many milliseconds late, and what later ones say. */
async function delaying({ first, later }: { first: Passage; later: Passage }) {
  const sockets = new Set<Socket>();
  let passage = first;
  let healed = false;
  const proxy = createServer((client) => {
    const ms = healed ? 0 : passage;
    passage = later;
    client.on('error', () => undefined);
    sockets.add(client);
    if (ms === 'refused') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(server.port, server.host);
    upstream.on('error', () => undefined);
    client.on('data', (chunk) => setTimeout(() => upstream.write(chunk), ms));
    upstream.on('data', (chunk) => client.write(chunk));
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    heal: () => {
      healed = true;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
