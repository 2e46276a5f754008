import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Daemon, freePort, serviceUser, startDaemon } from './daemon.ts';

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface PostgresDatabase extends PostgresAddress {
  readonly database: string;
}

export interface Postgres extends PostgresAddress {
  /** A new empty database, owned by a user of the same name. */
  createDatabase(name: string): Promise<PostgresDatabase>;
  /** The server goes away; its data stay. `fast` ends the sessions in order, `immediate` is a crash. */
  halt(mode?: 'fast' | 'immediate'): Promise<void>;
  /** The server comes back at the same port with the same data. */
  resume(): Promise<void>;
  restart(): Promise<void>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

const BIN = '/usr/lib/postgresql/15/bin';
const READY_MS = 30_000;
const HALT_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** A PostgreSQL 15 of its own on a free port, with its data in a temporary folder. */
export async function startPostgres(): Promise<Postgres> {
  if (!existsSync(`${BIN}/postgres`))
    throw new Error(`${BIN}/postgres is missing: install the Debian package postgresql-15`);
  const owner = serviceUser('postgres');
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  const password = crypto.randomUUID();
  initialise(folder, owner, password);
  const address = { host: '127.0.0.1', port: await freePort(), user: 'postgres', password };

  const start = async (): Promise<Daemon> => {
    const settings = { ...SETTINGS, port: String(address.port), unix_socket_directories: folder };
    const daemon = startDaemon('postgres', `${BIN}/postgres`, {
      args: [
        '-D',
        join(folder, 'data'),
        ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
      ],
      owner,
      cwd: folder,
    });
    await daemon.ready(() => answers(address), READY_MS);
    return daemon;
  };

  let daemon = await start();
  const halt = (mode: 'fast' | 'immediate' = 'fast') => daemon.end(HALT_SIGNALS[mode]);
  const resume = async () => {
    daemon = await start();
  };
  return {
    ...address,
    createDatabase: (name) => createDatabase(address, name),
    halt,
    resume,
    restart: async () => {
      await halt();
      await resume();
    },
    stop: async () => {
      await halt('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Durability costs time and proves nothing here: the machine does not lose power in the middle of a test. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: '100',
  shared_buffers: '32MB',
  autovacuum: 'off',
  log_min_messages: 'fatal',
};

function initialise(folder: string, owner: ReturnType<typeof serviceUser>, password: string): void {
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password);
  if (owner) chownSync(passwordFile, owner.uid, owner.gid);
  execFileSync(
    `${BIN}/initdb`,
    ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile].concat([
      '--no-sync',
      '--locale=C',
      '--encoding=UTF8',
    ]),
    { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 },
  );
}

async function createDatabase(address: PostgresAddress, name: string): Promise<PostgresDatabase> {
  const own = { ...address, user: name, password: crypto.randomUUID(), database: name };
  await withAdmin(address, async (admin) => {
    await admin.query(`CREATE ROLE ${pg.escapeIdentifier(name)} LOGIN PASSWORD ${pg.escapeLiteral(own.password)}`);
    await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} OWNER ${pg.escapeIdentifier(name)}`);
  });
  return own;
}

async function answers(address: PostgresAddress): Promise<boolean> {
  return withAdmin(address, () => Promise.resolve(true)).catch(() => sleep(0, false));
}

async function withAdmin<T>(address: PostgresAddress, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ ...address, database: 'postgres', connectionTimeoutMillis: 2000 });
  admin.on('error', () => undefined);
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.end();
  }
}
