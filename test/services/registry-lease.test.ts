import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { etcdRegistry } from '../../services/common/src/discovery/registry-etcd.ts';
import type { ServiceInfo, ServiceRegistry } from '../../services/common/src/discovery/service-registry.ts';
import { type Etcd, etcd } from '../../services/common/src/etcd/etcd.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';

const leaseSeconds = 2;
const leaseMs = leaseSeconds * 1000;

let server: EtcdServer;
let client: Etcd;
const open: ServiceRegistry[] = [];
let tests = 0;
let name = '';

beforeAll(async () => {
  server = await startEtcd();
  client = etcd({ endpoints: [server.url] });
});
afterAll(async () => {
  await Promise.all(open.map((registry) => registry.close()));
  await client.close();
  await server.stop();
});
beforeEach(() => {
  name = `orders-${++tests}`;
});

/** The registry as one more process has it. */
function process(metrics = new Registry()): ServiceRegistry {
  const log = pino({ level: 'silent' });
  const own = etcd({ endpoints: [server.url], timeoutMs: 500 });
  const registry = etcdRegistry({ etcd: own, log, metrics, leaseSeconds });
  open.push(registry);
  return registry;
}

const instance = (id: string): ServiceInfo => ({ id, name, address: '10.0.0.1', port: 80, metadata: {}, tags: ['a'] });

/** Every list of instances that a watcher hears of, as ids. */
function heardOf(registry: ServiceRegistry): readonly (readonly string[])[] {
  const heard: (readonly string[])[] = [];
  registry.watch(name, (instances) => heard.push(instances.map(({ id }) => id).toSorted()));
  return heard;
}

async function registered(...ids: readonly string[]): Promise<void> {
  for (const id of ids) await process().register(instance(id));
}

const heartbeats = async (metrics: Registry, outcome: string) => {
  const counts = await metrics.getSingleMetric('registry_heartbeats_total')?.get();
  return counts?.values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
};

describe.concurrent('an instance in etcd', () => {
  it('stays, by its heartbeats, longer than its lease', async () => {
    const own = 'steady';
    const metrics = new Registry();
    const there = process(metrics);
    await there.register({ ...instance('1'), name: own });
    await eventually(async () => expect(await heartbeats(metrics, 'kept')).toBeGreaterThanOrEqual(4));
    expect(await process().discover(own)).toHaveLength(1);
  });

  it('is gone within its lease when its process dies without goodbye', async () => {
    const own = 'dying';
    const [survivor, dying, caller] = [process(), process(), process()];
    await survivor.register({ ...instance('1'), name: own });
    await dying.register({ ...instance('2'), name: own });
    await eventually(async () => expect(await caller.discover(own)).toHaveLength(2));
    const died = performance.now();
    await dying.close();
    await eventually(async () => expect(await caller.discover(own)).toHaveLength(1));
    // etcd looks for leases that ran out twice a second.
    expect(performance.now() - died).toBeLessThan(leaseMs + 1_000);
  });

  it('that dies as the last of all is gone within two leases', async () => {
    const own = 'last';
    const [dying, caller] = [process(), process()];
    await dying.register({ ...instance('1'), name: own });
    expect(await caller.discover(own)).toHaveLength(1);
    await dying.close();
    await eventually(async () => expect(await caller.discover(own)).toEqual([]));
  });

  it('is not believed to be one when somebody else wrote it', async () => {
    const own = 'strange';
    await process().register({ ...instance('1'), name: own });
    for (const [at, value] of ['{', 'null', '{"id":"2"}', '[]'].entries()) {
      await client.put(`/services/${own}/strange-${at}`, value);
    }
    expect((await process().discover(own)).map(({ id }) => id)).toEqual(['1']);
  });
});

describe('all instances in etcd', () => {
  it('stay known when etcd is frozen until all leases have run out, and are registered anew', async () => {
    const metrics = new Registry();
    await process(metrics).register(instance('1'));
    await registered('2', '3');
    const caller = process();
    const heard = heardOf(caller);
    await eventually(() => expect(heard).toEqual([['1', '2', '3']]));
    server.freeze();
    await sleep(leaseMs + 500);
    expect(await caller.discover(name)).toHaveLength(3);
    server.thaw();
    await eventually(async () => expect(await heartbeats(metrics, 'renewed')).toBe(1));
    // What a caller knew of the past is over once each of them had the time to come back.
    await sleep(leaseMs + 500);
    expect(heard.at(-1)).toEqual(['1', '2', '3']);
    expect(heard.filter((ids) => ids.length === 0)).toEqual([]);
    expect(await process().discover(name)).toHaveLength(3);
  });

  it('stay known when etcd is killed, and started again after all leases would have run out', async () => {
    const metrics = new Registry();
    await process(metrics).register(instance('1'));
    await registered('2');
    const caller = process();
    const heard = heardOf(caller);
    await eventually(() => expect(heard).toEqual([['1', '2']]));
    await server.kill();
    await eventually(async () => expect(await heartbeats(metrics, 'failed')).toBeGreaterThan(0));
    await sleep(leaseMs + 500);
    expect(await caller.discover(name)).toHaveLength(2);
    await server.start();
    await process().register(instance('3'));
    await eventually(() => expect(heard.at(-1)).toEqual(['1', '2', '3']));
    expect(heard.filter((ids) => ids.length < 2)).toEqual([]);
  });
});
