import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { runService, startService } from '../support/service-process.ts';

let postgres: Postgres;
let database: PostgresDatabase;

beforeAll(async () => {
  postgres = await startPostgres();
  database = await postgres.createDatabase('product');
});
afterAll(async () => {
  await postgres.stop();
});

function productEnv() {
  return {
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_USER: database.user,
    DB_PASSWORD: database.password,
    DB_NAME: database.database,
  };
}

/** While held, every query on the products waits. */
async function lockProducts() {
  const client = new pg.Client(database);
  await client.connect();
  await client.query('BEGIN; LOCK TABLE products');
  return { release: () => client.end() };
}

async function waitFor(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited 5 s for: ${what}`);
    await sleep(20);
  }
}

const refused = (url: string) =>
  fetch(url).then(
    () => false,
    (error: Error) => String((error.cause as Error).message).includes('ECONNREFUSED'),
  );

describe('a service that is told to stop', () => {
  it('goes unready and serves on, then lets running requests end, takes no new ones, and exits with 0', async () => {
    const service = await startService('product-service', { ...productEnv(), SHUTDOWN_DRAIN_MS: '600' });
    const lock = await lockProducts();
    const running = fetch(`${service.url}/products/1`);
    await waitFor('the query to wait', async () => (await waitingQueries()) === 1);

    const ended = service.stop();
    await waitFor('draining', () => service.log.some(({ msg }) => msg === 'draining'));
    const ready = await fetch(`${service.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { reason: 'shutting down' }]);
    const alive = await fetch(`${service.url}/healthz`);
    expect([alive.status, alive.headers.get('connection')]).toEqual([200, 'close']);

    await waitFor('new connections to be refused', () => refused(`${service.url}/healthz`));
    expect(service.child.exitCode).toBeNull();
    await lock.release();
    expect((await running).status).toBe(200);
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  it('ends at once when told a second time', async () => {
    const service = await startService('product-service', { ...productEnv(), SHUTDOWN_DRAIN_MS: '60000' });
    service.child.kill('SIGTERM');
    await waitFor('draining', () => service.log.some(({ msg }) => msg === 'draining'));
    const started = performance.now();
    expect(await service.stop()).toEqual({ code: 143, signal: null });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('ends at once while it still waits for its database', async () => {
    const { child, log, ended } = runService('product-service', { ...productEnv(), DB_PORT: '1' });
    await waitFor('the wait for the database', () =>
      log.some(({ msg }) => String(msg).startsWith('waiting for')),
    );
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  async function waitingQueries(): Promise<number> {
    const client = new pg.Client(database);
    await client.connect();
    const { rowCount } = await client.query(`SELECT 1 FROM pg_locks WHERE NOT granted`);
    await client.end();
    return rowCount ?? 0;
  }
});

describe('a service that cannot start', () => {
  it('names every fault of its environment and exits with 1', async () => {
    const env = { SERVER_PORT: 'x', DB_PORT: 'y', OTEL_TRACES_EXPORTER: 'none' };
    const { log, ended } = runService('product-service', env);
    expect((await ended).code).toBe(1);
    const output = log.map(({ msg }) => msg).join('\n');
    for (const name of ['SERVER_PORT', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASSWORD', 'DB_NAME']) {
      expect(output).toMatch(new RegExp(`^  ${name} is `, 'm'));
    }
  });

  it('refuses an unknown exporter of traces and lists the known ones', async () => {
    const { log, ended } = runService('product-service', { OTEL_TRACES_EXPORTER: 'zipkin' });
    expect((await ended).code).toBe(1);
    expect(log.map(({ msg }) => msg).join('\n')).toContain(
      'OTEL_TRACES_EXPORTER is "zipkin", not one of otlp, jaeger, console, none',
    );
  });

  it('says so when the optional package of the Jaeger exporter is not installed', async () => {
    const { log, ended } = runService('product-service', {
      ...productEnv(),
      OTEL_TRACES_EXPORTER: 'jaeger',
      NODE_OPTIONS: `--import ${withoutPackage('@opentelemetry/exporter-jaeger')}`,
    });
    expect((await ended).code).toBe(1);
    expect(log.map(({ msg }) => msg).join('\n')).toContain(
      'OTEL_TRACES_EXPORTER is jaeger, but @opentelemetry/exporter-jaeger is not installed',
    );
  });

  /** A module that lets Node find everything but one package. */
  function withoutPackage(name: string): string {
    const source = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve(specifier, context, next) {
        if (specifier === '${name}') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
        return next(specifier, context);
      } });`;
    return `data:text/javascript,${encodeURIComponent(source)}`;
  }
});
