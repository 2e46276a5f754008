import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { platformNamespace } from '../chart/rendered.ts';
import { ApiProxy } from '../support/api-proxy.ts';
import { api, orders, startApiServer } from '../support/api-server.ts';
import { type ChartOperator, installChartOperator } from '../support/chart-operator.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

// Operators as the chart installs them, with its rights and its timing: a lease of 15 s, renewed every 2 s, given up
// after 10 s without. Each is seen through a proxy of its own.
const longestTakeoverMs = 15_000 + 2 * 2_000;
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${platformNamespace}/leases`;

interface Candidate {
  readonly name: string;
  readonly proxy: ApiProxy;
  readonly operator: OperatorProcess;
}

let installed: ChartOperator;
let candidates: Candidate[];

startApiServer();
beforeAll(async () => {
  installed = await installChartOperator({ operator: { replicas: 3 } });
});
beforeEach(() => {
  candidates = [];
});
afterEach(async () => {
  await Promise.all(candidates.map(({ operator }) => operator.stop('SIGKILL')));
  await Promise.all(candidates.map(({ proxy }) => proxy[Symbol.asyncDispose]()));
  await api.ask('DELETE', `${leasePath}/operator`);
});

async function stand(name: string): Promise<Candidate> {
  const proxy = await ApiProxy.start(installed.kubeconfig);
  const operator = OperatorProcess.launch(proxy.kubeconfig, { ...installed.env, OPERATOR_POD_NAME: name });
  const candidate = { name, proxy, operator };
  candidates.push(candidate);
  await operator.ready();
  return candidate;
}

/** Two operators: the first one leads, the second one stands by. */
async function two(): Promise<readonly [leader: Candidate, follower: Candidate]> {
  const leader = await stand('operator-a');
  await eventually(() => expect(leads(leader)).toBe(true));
  const follower = await stand('operator-b');
  await make();
  return [leader, follower];
}

/** Whether it was the last to say that it leads, and has not said otherwise since. */
function leads({ operator }: Candidate): boolean {
  const said = operator.log.filter(({ msg }) => msg === 'leading' || msg === 'leading no more');
  return said.at(-1)?.msg === 'leading';
}

/** What an operator tried to change, its lease aside; from a moment on, on the clock of `performance.now`. */
const writes = ({ proxy }: Candidate, from = 0) =>
  proxy.seen.filter(
    ({ verb, resource, at }) => !['get', 'list', 'watch'].includes(verb) && resource !== 'leases' && at >= from,
  );

const make = () => api.post(paths.microservices(orders.namespace), microservice(orders));
const edit = (tag: string) =>
  api.patch(`${paths.microservices(orders.namespace)}/orders`, { spec: { image: `example.test/orders:${tag}` } });

/** Waits until the Deployment has the image of that tag. Gives the milliseconds that it took. */
async function rolledOut(tag: string, withinMs = 5_000): Promise<number> {
  const begun = performance.now();
  await eventually(
    async () => {
      const { spec } = await api.get(`${paths.deployments(orders.namespace)}/orders`);
      expect(spec.template.spec.containers[0].image).toBe(`example.test/orders:${tag}`);
    },
    { withinMs },
  );
  return performance.now() - begun;
}

const holder = async () => (await api.get(`${leasePath}/operator`)).spec.holderIdentity;

/** Edits the Microservice ten times a second until told to stop, so that the leader has something in hand. */
function keepBusy(): () => Promise<void> {
  let busy = true;
  const editing = (async () => {
    for (let tag = 0; busy; tag += 1) {
      await edit(`busy-${tag}`);
      await sleep(100);
    }
  })();
  return () => {
    busy = false;
    return editing;
  };
}

describe('of several operators', () => {
  test('one works; the others are ready, have everything in memory and change nothing', async () => {
    const all = [await stand('operator-a'), await stand('operator-b'), await stand('operator-c')];
    await make();
    await rolledOut('1.0.0');

    const metrics = await Promise.all(all.map(({ operator }) => operator.ask('/metrics')));
    const states = metrics.map(({ text }) => /^microservice_platform_leader (\d)$/m.exec(text)?.[1]);
    expect(states.filter((state) => state === '1')).toHaveLength(1);
    expect(states.filter((state) => state === '0')).toHaveLength(2);
    expect(all.filter((each) => writes(each).length > 0).map(({ name }) => name)).toEqual([await holder()]);
    for (const { text } of metrics) expect(text).toContain('microservice_platform_microservice_ready{namespace=');
  });

  test('another takes over within 3 s when the leader is told to stop', async () => {
    const [leader, follower] = await two();
    const begun = performance.now();
    const ended = leader.operator.stop('SIGTERM');
    await edit('2');
    await rolledOut('2');
    const tookMs = performance.now() - begun;

    expect(await ended).toBe(0);
    expect(await holder()).toBe(follower.name);
    expect(tookMs).toBeLessThan(3_000);
  });

  test('another takes over when the lease has run out after the leader was killed', async () => {
    const [leader, follower] = await two();
    await leader.operator.stop('SIGKILL');
    await edit('2');
    await rolledOut('2', longestTakeoverMs);

    expect(await holder()).toBe(follower.name);
  });

  test('one that starts again under its name goes on at once after it was killed', async () => {
    const [leader] = await two();
    await leader.operator.stop('SIGKILL');
    const begun = performance.now();
    const again = await stand(leader.name);
    await edit('2');
    await rolledOut('2');

    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(leads(again)).toBe(true);
  });

  test('a leader that was paused for too long changes nothing when it goes on, and stands by', async () => {
    const [leader, follower] = await two();
    await rolledOut('1.0.0');
    // In the middle of a pass: the answer to its first write comes while it is paused, and there may be more to write.
    leader.proxy.break(({ resource }) => (resource === 'leases' ? undefined : { delayMs: 1_000 }));
    const begun = performance.now();
    await edit('held');
    await eventually(() => expect(writes(leader, begun).length).toBeGreaterThan(0), { everyMs: 5 });
    leader.operator.signal('SIGSTOP');
    await eventually(() => expect(leads(follower)).toBe(true), { withinMs: longestTakeoverMs });
    const takenOver = performance.now();
    leader.proxy.break();
    const rest = keepBusy();
    leader.operator.signal('SIGCONT');
    await eventually(() => expect(leads(leader)).toBe(false));
    await sleep(1_000);
    await rest();
    await edit('2');
    await rolledOut('2');

    expect(writes(leader, takenOver)).toEqual([]);
    expect(writes(follower, takenOver).length).toBeGreaterThan(0);
  });

  test('a leader that is cut off stops by itself before another begins, and stands by once it is back', async () => {
    const [leader, follower] = await two();
    const rest = keepBusy();
    leader.proxy.break(() => 'reset');
    leader.proxy.cutWatches();
    await eventually(() => expect(leads(leader)).toBe(false), { withinMs: 12_000 });
    const stopped = performance.now();
    await eventually(() => expect(leads(follower)).toBe(true), { withinMs: longestTakeoverMs });
    leader.proxy.break();
    await sleep(3_000);
    await rest();
    await edit('2');
    await rolledOut('2');

    expect(writes(leader, stopped)).toEqual([]);
    expect(await holder()).toBe(follower.name);
  });

  test('the leader goes on leading when its lease is deleted, and nobody else begins meanwhile', async () => {
    const [leader, follower] = await two();
    await sleep(2_500); // The follower has seen who leads.
    await api.delete(`${leasePath}/operator`);
    await eventually(async () => expect(await holder()).toBe(leader.name));
    await edit('2');
    await rolledOut('2');

    expect(writes(follower)).toEqual([]);
    expect(leads(leader)).toBe(true);
  });

  test('the leader stops when somebody writes another name into its lease, and one works again once that has run out', async () => {
    const [leader, follower] = await two();
    await sleep(2_500);
    await api.patch(`${leasePath}/operator`, { spec: { holderIdentity: follower.name } });
    await eventually(() => expect(leads(leader)).toBe(false), { withinMs: 4_000 });
    const stopped = performance.now();
    expect(leads(follower)).toBe(false);
    await edit('2');
    await rolledOut('2', longestTakeoverMs);

    const [first] = [...writes(leader, stopped), ...writes(follower)].toSorted((a, b) => a.at - b.at);
    expect(first?.at).toBeGreaterThan(stopped);
    expect([leads(leader), leads(follower)].filter(Boolean)).toHaveLength(1);
  });
});
