import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { baseConfig } from '../../services/common/src/config/config.ts';
import { configFiles } from '../../services/common/src/config/config-files.ts';
import { startSettings } from '../../services/common/src/config/config-start.ts';
import { type Etcd, etcd } from '../../services/common/src/etcd/etcd.ts';
import { service } from '../../services/common/src/serving/service.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type LogLine, runService, type ServiceProcess, startService } from '../support/service-process.ts';
import { databaseEnv, gatewayEnv } from '../support/shop.ts';

let folder = '';
const files = () => ({ CONFIG_SOURCE: 'files', CONFIG_DIR: folder });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function setFile(key: string, value: string): Promise<void> {
  await writeFile(join(folder, '.new'), `${value}\n`);
  await rename(join(folder, '.new'), join(folder, key));
}

async function withService(
  name: string,
  env: Readonly<Record<string, string>>,
  work: (service: ServiceProcess) => Promise<void>,
): Promise<void> {
  const service = await startService(name, env);
  try {
    await work(service);
  } finally {
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  }
}

/** What a service said of its configuration. */
const said = ({ log }: ServiceProcess) =>
  log
    .filter(({ msg }) => String(msg).startsWith('configuration'))
    .map(({ msg, key, from, to }) => ({ msg, key, from, to }));

/** Asks for `path`, and waits until the service has logged a request that came later. */
async function askAndSee(service: ServiceProcess, path: string): Promise<LogLine | undefined> {
  const ids = [crypto.randomUUID(), crypto.randomUUID()];
  for (const [index, id] of ids.entries()) {
    await fetch(service.url + (index === 0 ? path : '/nothing-here'), { headers: { 'x-request-id': id } });
  }
  await eventually(() => expect(service.log.some(({ request_id }) => request_id === ids[1])).toBe(true));
  return service.log.find(({ request_id }) => request_id === ids[0]);
}

/** Probes are logged at the level debug only, other requests at info. */
async function expectDebugLines(service: ServiceProcess): Promise<void> {
  expect(await askAndSee(service, '/healthz')).toMatchObject({ level: 'debug', endpoint: '/healthz' });
}

async function expectNoDebugLines(service: ServiceProcess): Promise<void> {
  expect(await askAndSee(service, '/healthz')).toBeUndefined();
}

async function metric(service: ServiceProcess, series: string): Promise<string | undefined> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return text
    .split('\n')
    .find((line) => line.startsWith(series))
    ?.split(' ')
    .at(-1);
}

describe('settings in files', () => {
  it('change the log level of a service that runs, and back, each said once and counted', async () => {
    await setFile('LOG_LEVEL', 'info');
    await withService('api-gateway', { ...gatewayEnv(), ...files(), LOG_LEVEL: 'error' }, async (service) => {
      const saidNow = async (count: number) => await eventually(() => expect(said(service)).toHaveLength(count));
      await expectNoDebugLines(service);
      await setFile('LOG_LEVEL', 'debug');
      await saidNow(1);
      await expectDebugLines(service);
      await rm(join(folder, 'LOG_LEVEL')); // the environment stands behind the files
      await saidNow(2);
      await setFile('LOG_LEVEL', 'info');
      await saidNow(3);
      await expectNoDebugLines(service);
      expect(said(service)).toEqual([
        { msg: 'configuration changed', key: 'LOG_LEVEL', from: 'info', to: 'debug' },
        { msg: 'configuration changed', key: 'LOG_LEVEL', from: 'debug', to: 'error' },
        { msg: 'configuration changed', key: 'LOG_LEVEL', from: 'error', to: 'info' },
      ]);
      expect(await metric(service, 'config_changes_total{key="LOG_LEVEL",outcome="applied"}')).toBe('3');
    });
  });

  it('that are wrong are refused while the last good one stays, said once and counted', async () => {
    await setFile('LOG_LEVEL', 'debug');
    await withService('api-gateway', { ...gatewayEnv(), ...files() }, async (service) => {
      await setFile('LOG_LEVEL', 'loud');
      const refused = () => service.log.filter(({ msg }) => msg === 'configuration refused');
      await eventually(() => expect(refused()).toHaveLength(1));
      expect(refused()).toMatchObject([
        { level: 'warn', reason: 'LOG_LEVEL is "loud", not one of debug, info, warn, error', stays: 'debug' },
      ]);
      await expectDebugLines(service);
      await setFile('LOG_LEVEL', 'warn');
      await eventually(() => expect(said(service).at(-1)).toMatchObject({ from: 'debug', to: 'warn' }));
      expect(refused()).toHaveLength(1);
      expect(await metric(service, 'config_changes_total{key="LOG_LEVEL",outcome="refused"}')).toBe('1');
    });
  });

  it('that cannot change while a service runs are said to wait for its next start, secrets without their values', async () => {
    await setFile('FAULTS_TOKEN', 'the-first-token-of-all');
    await withService('api-gateway', { ...gatewayEnv(), ...files() }, async (service) => {
      await setFile('FAULTS_TOKEN', 'another-token-for-faults');
      await setFile('SHUTDOWN_DRAIN_MS', '7');
      const msg = 'configuration changed for the next start';
      await eventually(() => expect(said(service)).toHaveLength(2));
      expect(said(service).toSorted((a, b) => String(a.key).localeCompare(String(b.key)))).toEqual([
        { msg, key: 'FAULTS_TOKEN', from: '(hidden)', to: '(hidden)' },
        { msg, key: 'SHUTDOWN_DRAIN_MS', from: 0, to: 7 },
      ]);
      const ask = (token: string) => fetch(`${service.url}/faults`, { headers: { authorization: `Bearer ${token}` } });
      expect((await ask('the-first-token-of-all')).status).toBe(200);
      expect((await ask('another-token-for-faults')).status).toBe(401);
      expect(JSON.stringify(service.log)).not.toMatch(/first-token|another-token/);
    });
  });

  it('are refused at start as variables are, all at once and with where they are', async () => {
    await setFile('LOG_LEVEL', 'loud');
    await setFile('SERVER_PORT', 'http');
    const { log, ended } = runService('api-gateway', { ...gatewayEnv(), ...files() });
    expect(await ended).toMatchObject({ code: 1 });
    const output = log.map(({ msg }) => msg).join('\n');
    expect(output).toContain('the configuration (files, then environment) has 2 faults');
    expect(output).toContain('LOG_LEVEL is "loud"');
    expect(output).toContain('SERVER_PORT is "http"');
  });

  it('are followed until the service is closed, and no longer', async () => {
    await setFile('LOG_LEVEL', 'error');
    const settings = await startSettings(
      Object.create(process, { env: { value: files() } }) as NodeJS.Process,
      baseConfig,
    );
    const app = service({ name: 'test', version: '0', logLevel: settings.values.logLevel, checks: {} });
    settings.follow(app);
    await app.close();
    await setFile('LOG_LEVEL', 'debug');
    const later = await configFiles(folder);
    const seen = Promise.withResolvers<void>();
    later.watch(() => seen.resolve());
    await setFile('LOG_LEVEL', 'warn');
    await seen.promise; // as long as another reader takes to hear of it
    await later.close();
    expect(app.log.level).toBe('error');
  });

  it('that cannot be read end a service at start, by a message that names the folder', async () => {
    const { log, ended } = runService('api-gateway', {
      ...gatewayEnv(),
      CONFIG_SOURCE: 'files',
      CONFIG_DIR: '/nowhere',
    });
    expect(await ended).toMatchObject({ code: 1 });
    expect(log.map(({ msg }) => msg).join('\n')).toContain('the configuration in /nowhere cannot be read: ENOENT');
  });
});

describe('a limit in files', () => {
  let postgres: Postgres;

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());

  it('holds from one request to the next, without a restart', async () => {
    const own = await postgres.createDatabase('payment');
    await setFile('PAYMENT_LIMIT', '100');
    await withService('payment-service', { ...databaseEnv(own), ...files() }, async (service) => {
      const pay = async () => {
        const response = await fetch(`${service.url}/payments/${crypto.randomUUID()}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ user_id: 'u-1', amount: 60 }),
        });
        return response.status;
      };
      expect(await pay()).toBe(201);
      await setFile('PAYMENT_LIMIT', '50');
      await eventually(async () => expect(await pay()).toBe(402));
      await setFile('PAYMENT_LIMIT', '60');
      await eventually(async () => expect(await pay()).toBe(201));
      expect(said(service)).toMatchObject([
        { key: 'PAYMENT_LIMIT', from: 100, to: 50 },
        { key: 'PAYMENT_LIMIT', from: 50, to: 60 },
      ]);
    });
  });
});

describe('settings in etcd', () => {
  let server: EtcdServer;
  let client: Etcd;
  const env = () => ({
    ...gatewayEnv(),
    CONFIG_SOURCE: 'etcd',
    CONFIG_ETCD_ENDPOINTS: `${server.url},http://127.0.0.1:1`,
    CONFIG_ETCD_PREFIX: '/gateway/',
  });

  beforeEach(async () => {
    server = await startEtcd();
    client = etcd({ endpoints: [server.url] });
  });
  afterEach(async () => {
    await client?.close();
    await server?.stop();
  });

  it('change a service that runs, outlive the outage of etcd in it, and change it again afterwards', async () => {
    await client.put('/gateway/LOG_LEVEL', 'info');
    await withService('api-gateway', env(), async (service) => {
      await client.put('/gateway/LOG_LEVEL', 'debug');
      await eventually(() => expect(said(service)).toHaveLength(1));
      await server.kill();
      await eventually(async () => expect(await metric(service, 'config_source_up')).toBe('0'));
      await expectDebugLines(service);
      await server.start();
      await eventually(async () => expect(await metric(service, 'config_source_up')).toBe('1'));
      await client.put('/gateway/LOG_LEVEL', 'warn');
      await eventually(() => expect(said(service)).toHaveLength(4));
      expect(said(service).map(({ msg }) => msg)).toEqual([
        'configuration changed',
        'configuration cannot be read: the last known values stay',
        'configuration is read again',
        'configuration changed',
      ]);
    });
  });

  it('let a service stop in time while etcd is silent', async () => {
    await withService('api-gateway', env(), async (service) => {
      server.freeze();
      const start = performance.now();
      expect(await service.stop()).toEqual({ code: 0, signal: null });
      expect(performance.now() - start).toBeLessThan(1_500);
      server.thaw();
    });
  });
});

describe('--print-config', () => {
  /** What it prints, and how it ends. */
  async function printed(env: Readonly<Record<string, string>>) {
    const { log, ended } = runService('product-service', env, ['--print-config']);
    const { code } = await ended;
    const text = log.map(({ msg }) => String(msg)).join('\n');
    return { code, text, settings: JSON.parse(text) as Record<string, unknown> };
  }

  const database = { DB_HOST: 'db', DB_USER: 'product', DB_NAME: 'product' };

  it('prints every setting with where it comes from, hides secrets, and starts nothing', async () => {
    await setFile('LOG_LEVEL', 'debug');
    await setFile('DB_PASSWORD', 'known-to-nobody');
    await setFile('DB_HOST', 'http://user:password@db');
    const { code, text, settings } = await printed({ ...database, ...files(), DB_PASSWORD: 'of-the-environment' });
    expect(code).toBe(0);
    expect(settings).toMatchObject({
      LOG_LEVEL: { value: 'debug', origin: 'files' },
      DB_USER: { value: 'product', origin: 'environment' },
      DB_PORT: { value: 5432, origin: 'default' },
      DB_PASSWORD: { value: '(hidden)', origin: 'files' },
      DB_HOST: { value: '(hidden)', origin: 'files' },
      FAULTS_TOKEN: { value: null, origin: 'default' },
    });
    expect(text).not.toMatch(/known-to-nobody|of-the-environment|user:password/);
  });

  it('shows what is wrong where it is, and ends with 1', async () => {
    const { code, settings } = await printed({ ...database, LOG_LEVEL: 'loud' });
    expect(code).toBe(1);
    expect(settings).toMatchObject({
      LOG_LEVEL: { value: 'loud', origin: 'environment', fault: 'is "loud", not one of debug, info, warn, error' },
      DB_PASSWORD: { value: null, origin: null, fault: 'is not set' },
    });
  });
});
