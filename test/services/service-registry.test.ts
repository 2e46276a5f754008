import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceInfo, ServiceRegistry } from '../../services/common/src/discovery/service-registry.ts';
import { eventually } from '../support/eventually.ts';
import { etcdBench, kubernetesBench, type RegistryBench } from '../support/registries.ts';

const benches = { etcd: etcdBench, Kubernetes: kubernetesBench };

describe.each(Object.entries(benches))('the registry of %s', (_, start) => {
  let bench: RegistryBench;
  /** As the process of an instance has it, and as one that looks for instances has it. */
  let there: ServiceRegistry;
  let here: ServiceRegistry;
  let tests = 0;
  /** A service that no other test knows. */
  let name = '';

  beforeAll(async () => {
    bench = await start();
  });
  afterAll(() => bench.stop());
  beforeEach(() => {
    name = `orders-${++tests}`;
    there = bench.connect();
    here = bench.connect();
  });

  const instance = (number: number): ServiceInfo => ({
    id: `${name}-${number}`,
    name,
    address: `10.0.0.${number}`,
    port: 8080,
    metadata: {},
    tags: [],
  });
  const known = async (registry = here) => (await registry.discover(name)).map(({ id }) => id).toSorted();
  const ids = (...numbers: readonly number[]) => numbers.map((number) => instance(number).id);
  const knows = (...numbers: readonly number[]) =>
    eventually(async () => expect(await known()).toEqual(ids(...numbers)));

  it('knows an instance that is registered, and where it is', async () => {
    expect(await known()).toEqual([]);
    await bench.appear(there, instance(1));
    await eventually(async () => expect(await here.discover(name)).toEqual([instance(1)]));
    expect(await bench.connect().discover(name)).toEqual([instance(1)]);
  });

  it('knows an instance no more that said goodbye, be it the last', async () => {
    await bench.appear(there, instance(1));
    await bench.appear(there, instance(2));
    await knows(1, 2);
    await bench.leave(there, instance(1));
    await knows(2);
    await bench.leave(there, instance(2));
    await eventually(async () => expect(await known()).toEqual([]), { withinMs: 1_000 });
  });

  it('lets an instance say goodbye twice, and one that it never knew', async () => {
    await bench.appear(there, instance(1));
    await bench.leave(there, instance(1));
    await there.deregister(instance(1).id);
    await there.deregister('nobody');
  });

  it('tells of everybody who comes and goes, and nothing twice', async () => {
    const heard: (readonly string[])[] = [];
    here.watch(name, (instances) => heard.push(instances.map(({ id }) => id).toSorted()));
    const last = (...numbers: readonly number[]) => eventually(() => expect(heard.at(-1)).toEqual(ids(...numbers)));
    await last();
    await bench.appear(there, instance(1));
    await last(1);
    await bench.appear(there, instance(2));
    await last(1, 2);
    await bench.leave(there, instance(1));
    await last(2);
    expect(heard).toEqual([[], ids(1), ids(1, 2), ids(2)]);
  });

  it('tells each of several who watch, a late one at once, and none that does not watch any more', async () => {
    const heard: string[] = [];
    const listen = (who: string) => here.watch(name, () => void heard.push(who));
    listen('early');
    const end = listen('ended');
    await eventually(() => expect(heard).toEqual(['early', 'ended']));
    listen('late');
    expect(heard).toEqual(['early', 'ended', 'late']);
    end();
    await bench.appear(there, instance(1));
    await eventually(() => expect(heard.slice(3)).toEqual(['early', 'late']));
  });

  it('answers with what it last knew while it is away, and hears afterwards of what happened meanwhile', async () => {
    await bench.appear(there, instance(1));
    await knows(1);
    await bench.halt();
    expect(await known()).toEqual(ids(1));
    await expect(bench.connect().discover(name)).rejects.toThrow(`asked for ${name}: no answer within 2000 ms`);
    expect(await known()).toEqual(ids(1));
    await bench.resume();
    const other = bench.connect();
    await bench.appear(other, instance(2));
    await knows(1, 2);
  });

  it('refuses an instance that nobody could call, and a name that no service can have', async () => {
    const wrong = { ...instance(1), address: 'http://10.0.0.1', port: 0 };
    await expect(there.register(wrong)).rejects.toThrow(
      'address must be a host name or an IP address; port must be a whole number from 1 to 65535',
    );
    await expect(here.discover('../secrets')).rejects.toThrow('"../secrets" is no name of a service');
  });

  it('leaves out an instance that cannot take requests', async () => {
    const healthy = bench.connect();
    await bench.appear(healthy, instance(1));
    for (const sicken of Object.values(bench.sicken)) {
      const sick = bench.connect();
      await bench.appear(sick, instance(2));
      await knows(1, 2);
      await sicken(sick, instance(2));
      await knows(1);
    }
  });
});
