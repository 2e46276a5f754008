import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { client } from '../../cluster/clients.ts';
import { type serviceNames as all, serviceNames } from '../../cluster/image-list.ts';
import { repository } from '../../cluster/paths.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { cli, cluster, conditionOf, list, type MicroserviceObject, read } from '../support/cluster.ts';

type Name = (typeof all)[number];

/** Requests a second, and how many there must have been at least. The pods that start meanwhile need the same two cores. */
const rate = 25;
/** One round over all services in each run of the tests; LOAD_REQUESTS=20000 is four of them. */
const enough = Number(process.env.LOAD_REQUESTS ?? 8_000);
/** Looking costs the machine more than what is looked at: not too often. */
const patience = { timeoutMs: 120_000, everyMs: 2_000 };

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Env {
  readonly name: string;
  value?: string;
}

interface Manifest extends MicroserviceObject {
  readonly spec: {
    readonly env: readonly Env[];
    readonly replicas?: number;
    readonly autoscaling?: object;
    readonly config?: { readonly data: Readonly<Record<string, string>> };
  };
}

/** What a load generator says at its end. */
interface Summary {
  readonly sent: number;
  readonly answered: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly dropped: number;
  readonly orders: number;
}

const podsOf = async (name: string) =>
  (await list<Pod>('pods', 'shop', '-l', `microservice-platform.io/microservice=${name}`)).filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );

const isReady = ({ status }: Pod) => status.conditions?.some((it) => it.type === 'Ready' && it.status === 'True');

async function settled(name: string, pods: number): Promise<void> {
  await waitFor(
    `${name} to have ${pods} pods, and its Microservice to be Ready`,
    async () => {
      const running = await podsOf(name);
      const object = await read<MicroserviceObject>('microservice', 'shop', name);
      const seen = object.status.observedGeneration === object.metadata.generation;
      return (
        running.length === pods &&
        running.every(isReady) &&
        seen &&
        conditionOf(object, 'Ready')?.status === 'True' &&
        conditionOf(object, 'Reconciling') === undefined
      );
    },
    patience,
  );
}

const patch = (name: string, change: object) =>
  cli.run(['patch', 'microservice', name, '-n', 'shop', '--type=merge', '-p', JSON.stringify(change)]);

/** Takes a pod away as a drained node does. */
async function evict(name: string): Promise<void> {
  const pod = (await podsOf(name))[0]?.metadata.name;
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: 'shop' } };
  const path = `/api/v1/namespaces/shop/pods/${pod}/eviction`;
  await cli.run(['create', '--raw', path, '-f', '-'], 30_000, JSON.stringify(eviction));
}

/** Another value of a variable means other pods; the second time it is the first value again. */
async function rollOut(name: string): Promise<void> {
  const { spec } = await read<Manifest>('microservice', 'shop', name);
  const env = spec.env.map((it) =>
    it.name === 'LOG_LEVEL' ? { name: it.name, value: it.value === 'debug' ? 'info' : 'debug' } : it,
  );
  const before = new Set((await podsOf(name)).map(({ metadata }) => metadata.name));
  await patch(name, { spec: { env } });
  await waitFor(
    `other pods of ${name}`,
    async () => (await podsOf(name)).every(({ metadata }) => !before.has(metadata.name)),
    patience,
  );
}

const routesKey = 'routes.yaml';

/** Adds one route to those of the gateway, another each time; it reaches the gateways within a minute or so. */
async function changeRoutes(original: string, number: number): Promise<void> {
  const routes = `${original}\n  - { path: /round-${number}, methods: [GET], answer: { status: 204 } }\n`;
  await patch('api-gateway', { spec: { config: { data: { [routesKey]: routes } } } });
}

/** Two pods, one of them evicted, all replaced, and back to as many as there were; Ready after each. */
async function unsettle(name: Name): Promise<void> {
  const { spec } = await read<Manifest>('microservice', 'shop', name);
  const pods = (await podsOf(name)).length;
  const fixed = spec.autoscaling === undefined;
  if (fixed) await patch(name, { spec: { replicas: pods + 1 } });
  const more = fixed ? pods + 1 : pods;
  await settled(name, more);
  await evict(name);
  await settled(name, more);
  if (fixed) await patch(name, { spec: { replicas: pods } });
  await settled(name, pods);
  await rollOut(name);
  await settled(name, pods);
  await rollOut(name);
  await settled(name, pods);
}

/** Starts the load generator of manifests/loadgen.yaml at `rate`; `end` stops it, and gives what it counted. */
async function startLoad() {
  const manifest: Manifest = parse(readFileSync(join(repository, 'manifests/loadgen.yaml'), 'utf8'));
  for (const variable of manifest.spec.env) if (variable.name === 'RATE') variable.value = String(rate);
  await cli.apply(JSON.stringify(manifest));
  await settled('loadgen', 1);
  const pod = (await podsOf('loadgen'))[0]?.metadata.name ?? '';
  const lines: string[] = [];
  const follow = spawn(client('kubectl'), ['--kubeconfig', cluster.kubeconfig, 'logs', '-f', '-n', 'shop', pod]);
  createInterface({ input: follow.stdout }).on('line', (line) => lines.push(line));
  const saying = (msg: string) => lines.flatMap((line) => (line.includes(`"msg":"${msg}"`) ? [JSON.parse(line)] : []));
  return {
    sent: async () => {
      const metrics = await cli.get(['--raw', `/api/v1/namespaces/shop/pods/${pod}:8080/proxy/metrics`]);
      const lag = /^loadgen_schedule_lag_seconds_count (\d+)/m.exec(metrics);
      return Number(lag?.[1] ?? 0);
    },
    failures: () => saying('request failed'),
    end: async (): Promise<Summary> => {
      await cli.run(['delete', 'microservice', 'loadgen', '-n', 'shop', '--ignore-not-found']);
      const [summary] = await waitFor('the summary of the load generator', async () => {
        const said = saying('summary');
        return said.length > 0 && said;
      });
      follow.kill();
      return summary;
    },
  };
}

/** How often the gateways that run now have taken on other routes. */
async function routesChanged(): Promise<number> {
  const pods = await podsOf('api-gateway');
  const counts = pods.map(async ({ metadata: { name } }) => {
    const metrics = await cli.get(['--raw', `/api/v1/namespaces/shop/pods/${name}:8080/proxy/metrics`]);
    return Number(/^gateway_route_reloads_total{outcome="applied"} (\d+)/m.exec(metrics)?.[1]);
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** How long anything on this machine has waited for a core and for a disk, in seconds; zeros where the kernel does not tell. */
function waited(): { readonly core: number; readonly disk: number } {
  const of = (what: string) => {
    const file = `/proc/pressure/${what}`;
    const total = existsSync(file) ? /^some .*total=(\d+)/m.exec(readFileSync(file, 'utf8')) : null;
    return Number(total?.[1] ?? 0) / 1e6;
  };
  return { core: of('cpu'), disk: of('io') };
}

/** What a database of the shop answers to a query that gives one number. */
async function count(database: string, sql: string): Promise<number> {
  const psql = ['exec', '-n', 'shop', 'postgresql-0', '--', 'psql', '-d', database, '-Atc', sql];
  return Number((await cli.run(psql)).trim());
}

describe('the shop, under a constant load', () => {
  let routes: string;
  beforeAll(async () => {
    routes = (await read<Manifest>('microservice', 'shop', 'api-gateway')).spec.config?.data[routesKey] ?? '';
  });
  afterAll(async () => {
    await cli.run(['delete', 'microservice', 'loadgen', '-n', 'shop', '--ignore-not-found']);
    await patch('api-gateway', { spec: { config: { data: { [routesKey]: routes } } } });
  });

  it('answers every request and loses no order while each service is scaled, evicted and rolled out, and the routes change', async () => {
    const ordersBefore = await count('orders', 'SELECT count(*) FROM orders');
    const load = await startLoad();
    const started = performance.now();
    let changes = 0;
    for (let round = 1; (await load.sent()) < enough; round += 1) {
      for (const name of serviceNames) {
        const from = { at: performance.now(), ...waited() };
        await changeRoutes(routes, ++changes);
        await unsettle(name);
        const to = { at: performance.now(), ...waited() };
        const [took, core, disk] = [(to.at - from.at) / 1000, to.core - from.core, to.disk - from.disk];
        const machine = `${took.toFixed(0)} s, of them waited for a core ${core.toFixed(0)} s, for a disk ${disk.toFixed(0)} s`;
        const so = `${await load.sent()} requests, ${load.failures().length} failures so far`;
        console.log(`round ${round}, ${name}: ${machine}; ${so}`);
      }
    }
    const changed = await routesChanged();
    const summary = await load.end();
    const seconds = (performance.now() - started) / 1000;
    console.log(`${JSON.stringify(summary)} in ${seconds.toFixed(0)} s`);
    expect(
      load
        .failures()
        .map((it) => JSON.stringify(it))
        .join('\n'),
    ).toBe('');
    console.log(`routes were changed ${changes} times, and taken on ${changed} times by the gateways there are now`);
    expect(changed).toBeGreaterThan(0);
    expect(summary).toMatchObject({ failed: {}, dropped: 0, answered: summary.sent });
    expect(summary.sent).toBeGreaterThanOrEqual(enough);

    await waitFor(
      'every order to have ended, every message to have been sent',
      async () =>
        (await count('orders', 'SELECT count(*) FROM sagas')) === 0 &&
        (await count('orders', 'SELECT count(*) FROM outbox')) === 0,
      patience,
    );
    const orders = await count('orders', `SELECT count(*) FROM orders`);
    expect(orders - ordersBefore).toBe(summary.orders);
    await waitFor(
      'the last notification and the last count',
      async () =>
        (await count('notification', 'SELECT count(*) FROM notifications')) === orders &&
        (await count('analytics', 'SELECT sum(created) FROM product_counts')) === orders,
      patience,
    );
    expect(await count('notification', 'SELECT count(DISTINCT order_id) FROM notifications')).toBe(orders);
    const ended = 'SELECT sum(completed) + sum(compensated) FROM product_counts';
    expect(await count('analytics', ended)).toBe(orders);
    const completed = await count('orders', "SELECT count(*) FROM orders WHERE status = 'completed'");
    expect(await count('payment', "SELECT count(*) FROM payments WHERE status = 'charged'")).toBe(completed);
    expect(await count('inventory', "SELECT count(*) FROM reservations WHERE status = 'reserved'")).toBe(completed);
  }, 1_200_000);
});
