import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ApiProxy } from '../support/api-proxy.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

/** So long after the last write nobody has anything more to write. */
const quietMs = 750;

let proxy: ApiProxy;
let operator: OperatorProcess;

startApiServer();
beforeAll(async () => {
  proxy = await ApiProxy.start(plane.kubeconfig);
  operator = await OperatorProcess.start(proxy.kubeconfig);
});
afterAll(async () => {
  await operator.stop();
  await proxy[Symbol.asyncDispose]();
});
beforeEach(() => {
  proxy.seen.length = 0;
});

const all = {
  replicas: 1,
  resources: { requests: { cpu: '100m' } },
  autoscaling: { minReplicas: 1, maxReplicas: 3, cpu: 70 },
};
const condition = async (): Promise<Wire> => {
  const { status } = await api.get(`${paths.microservices(orders.namespace)}/orders`);
  return status?.conditions?.find(({ type }: Wire) => type === 'Ready');
};
const shown = () =>
  proxy
    .writes()
    .map(({ verb, resource }) => `${verb} ${resource}`)
    .sort();

/** A write for each child of `all`, and one for the status. */
const writesEach = 6;

/** What the controller of Deployments would report about pods that run. There is none in this control plane. */
async function reportReady(): Promise<void> {
  const path = `${paths.deployments(orders.namespace)}/orders`;
  const { metadata, spec } = await api.get(path);
  const pods = spec.replicas ?? 1;
  await api.patch(`${path}/status`, {
    status: {
      observedGeneration: metadata.generation,
      replicas: pods,
      updatedReplicas: pods,
      readyReplicas: pods,
      availableReplicas: pods,
      conditions: [
        { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
        { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
      ],
    },
  });
}

/** Waits until nothing is written any more. */
async function quiet(): Promise<void> {
  for (let before = -1; before !== proxy.writes().length; await sleep(quietMs)) before = proxy.writes().length;
}

test('a Microservice costs one write for each child and two for its status, and no read', async () => {
  await api.post(paths.microservices(orders.namespace), microservice(orders, all));
  await eventually(async () => expect(await condition()).toMatchObject({ status: 'False' }));
  await quiet();
  await reportReady();
  await eventually(async () => expect(await condition()).toMatchObject({ status: 'True' }));
  await quiet();

  expect(shown()).toEqual([
    'apply deployments',
    'apply horizontalpodautoscalers',
    'apply poddisruptionbudgets',
    'apply serviceaccounts',
    'apply services',
    'patch microservices/status',
    'patch microservices/status',
  ]);
  expect(proxy.reads()).toEqual([]);
  expect(proxy.seen.filter(({ resource }) => resource === 'events').length).toBeLessThanOrEqual(2);
});

test('at rest nothing is asked for at all', async () => {
  await api.post(paths.microservices(orders.namespace), microservice(orders, all));
  await eventually(async () => expect(await condition()).toBeDefined());
  await quiet();
  await reportReady();
  await quiet();
  proxy.seen.length = 0;
  await sleep(5_000);

  expect(proxy.seen).toEqual([]);
});

test('a change that concerns one child costs one write for it and at most two for the status', async () => {
  await api.post(paths.microservices(orders.namespace), microservice(orders, all));
  await eventually(async () => expect(await condition()).toBeDefined());
  await quiet();
  await reportReady();
  await quiet();
  proxy.seen.length = 0;
  await api.patch(`${paths.microservices(orders.namespace)}/orders`, {
    spec: { image: 'example.test/orders:1.0.1' },
  });
  await eventually(() => expect(shown()).toContain('apply deployments'));
  await quiet();
  await reportReady();
  await quiet();

  expect(shown().filter((write) => write.startsWith('apply'))).toEqual(['apply deployments']);
  expect(proxy.writes().length).toBeLessThanOrEqual(3);
  expect(proxy.reads()).toEqual([]);
});

test('a restarted operator lists each kind once and writes nothing', async () => {
  await api.post(paths.microservices(orders.namespace), microservice(orders, all));
  await eventually(async () => expect(await condition()).toBeDefined());
  await quiet();
  await operator.stop();
  proxy.seen.length = 0;
  operator = await OperatorProcess.start(proxy.kubeconfig);
  await quiet();

  expect(proxy.writes()).toEqual([]);
  expect(
    proxy
      .reads()
      .map(({ verb, resource }) => `${verb} ${resource}`)
      .sort(),
  ).toEqual([
    'list configmaps', // its own
    'list configmaps', // names and versions of all
    'list deployments',
    'list horizontalpodautoscalers',
    'list microservices',
    'list poddisruptionbudgets',
    'list pods',
    'list serviceaccounts',
    'list services',
  ]);
});

test('a hundred Microservices are served over few connections, at the same cost each', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `many-${i}`);
  const before = proxy.connections;
  await Promise.all(
    names.map((name) => api.post(paths.microservices(orders.namespace), microservice({ ...orders, name }, all))),
  );
  await eventually(() => expect(proxy.writes().length).toBeGreaterThanOrEqual(names.length * writesEach), {
    withinMs: 30_000,
  });
  await quiet();

  expect(proxy.writes()).toHaveLength(names.length * writesEach);
  expect(proxy.reads()).toEqual([]);
  expect(proxy.connections - before).toBeLessThanOrEqual(32);
  expect(operator.rss()).toBeLessThan(400e6);
});
