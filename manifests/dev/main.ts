// npm run dev: the shop as processes on loopback, each started anew when a file of it changes.

import { mkdirSync, mkdtempSync, rmSync, watchFile, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { progress, standardError } from '../../cluster/progress.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { freePort } from '../../test/support/daemon.ts';
import { type Postgres, startPostgres } from '../../test/support/postgres.ts';
import { type RabbitMq, startRabbitMq } from '../../test/support/rabbitmq.ts';
import { shopSecrets } from '../install.ts';
import { localEnvironment, type Microservice, type Places, withLocalAddresses } from './environment.ts';
import { legible } from './log-line.ts';
import { type Alias, selectsMicroservice, shopFolder, shopObjects } from './manifests.ts';
import { watchedService } from './service-process.ts';

const step = progress(standardError(), Date.now);
/** What was begun, in that order; it is ended the other way round. */
const closers: (() => unknown)[] = [];

async function main(): Promise<void> {
  const { microservices: services, aliases } = shopObjects();
  const folder = mkdtempSync(join(tmpdir(), 'shop-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const [postgres, rabbitmq] = await Promise.all([
    step('start PostgreSQL', startPostgres),
    step('start RabbitMQ', startRabbitMq),
  ]);
  closers.push(
    () => postgres.stop(),
    () => rabbitmq.stop(),
  );
  const places: Places = {
    ports: withAliases(await portsOf(services, postgres, rabbitmq), aliases),
    folderOf: (service) => join(folder, service),
    secret: await secretsFor(postgres, rabbitmq),
  };
  writeConfigs(services, places);
  watchFile(join(shopFolder, 'api-gateway.yaml'), { interval: 500, persistent: false }, () => rewriteConfigs(places));
  await step('start the services', () => startServices(services, places));
  const gateway = `http://127.0.0.1:${places.ports.get('api-gateway:8080')}`;
  console.log(
    `\nThe shop is at ${gateway}, for instance ${gateway}/products. Ctrl-C ends it, and all that it keeps.\n`,
  );
}

/** A port of its own for every `host:port`: that of the gateway is always the same, so that it can be remembered. */
async function portsOf(services: readonly Microservice[], postgres: Postgres, rabbitmq: RabbitMq) {
  const ports = new Map([
    ['postgresql:5432', postgres.port],
    ['rabbitmq:5672', rabbitmq.port],
    ['api-gateway:8080', Number(process.env.PORT ?? 8080)],
  ]);
  for (const { metadata, spec } of services) {
    for (const { containerPort } of spec.ports) {
      const address = `${metadata.name}:${containerPort}`;
      if (!ports.has(address)) ports.set(address, await freePort());
    }
  }
  return ports;
}

function withAliases(ports: ReadonlyMap<string, number>, aliases: readonly Alias[]): ReadonlyMap<string, number> {
  const others = aliases.flatMap(({ metadata, spec }) =>
    spec.ports.map(({ port }): [string, number] => [
      `${metadata.name}:${port}`,
      ports.get(`${spec.selector[selectsMicroservice]}:${port}`) ?? 0,
    ]),
  );
  return new Map([...ports, ...others]);
}

/** Made as those of a cluster are; databases and the broker's user are what these servers have. */
async function secretsFor(postgres: Postgres, rabbitmq: RabbitMq): Promise<Places['secret']> {
  const made = new Map<string, Readonly<Record<string, string>>>();
  for (const [name, make] of Object.entries(shopSecrets)) {
    const { database, ...others } = make();
    const own = database === undefined ? undefined : await postgres.createDatabase(database);
    made.set(name, own ? { username: own.user, password: own.password, database: own.database } : others);
  }
  made.set('rabbitmq', { username: rabbitmq.user, password: rabbitmq.password });
  return (name, key) => {
    const value = made.get(name)?.[key];
    if (value === undefined) throw new Error(`the shop has no Secret ${name} with ${key}`);
    return value;
  };
}

/** The files that a cluster would mount. */
function writeConfigs(services: readonly Microservice[], places: Places): void {
  for (const { metadata, spec } of services) {
    const folder = places.folderOf(metadata.name);
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(spec.config?.data ?? {})) {
      writeFileSync(join(folder, file), withLocalAddresses(text, places));
    }
  }
}

/** A manifest that is being edited may be no good for a moment: the files stay as they are. */
function rewriteConfigs(places: Places): void {
  try {
    writeConfigs(shopObjects().microservices, places);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}

async function startServices(services: readonly Microservice[], places: Places): Promise<void> {
  await Promise.all(
    services.map(async (service) => {
      const { name } = service.metadata;
      const passedOn = Object.entries(process.env).filter(([key]) => /^(OTEL_|LOG_LEVEL$)/.test(key));
      const env = { ...localEnvironment(service, places), ...Object.fromEntries(passedOn) };
      const { stop } = watchedService(name, env as Record<string, string>, (line) => console.log(legible(name, line)));
      closers.push(stop);
      const url = `http://127.0.0.1:${places.ports.get(`${name}:8080`)}/readyz`;
      await waitFor(`${name} to be ready`, async () => (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok, {
        timeoutMs: 60_000,
        everyMs: 100,
      });
    }),
  );
}

let stopping = false;
async function end(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const close of closers.reverse()) await close();
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(0));

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  void end(1);
});
