import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject, Manifest } from '../../operator/src/api/object.ts';
import { ApiProxy } from '../support/api-proxy.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { type Engine, microservice, openEngine, ownLabels, serviceOf } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths, type Wire } from '../support/kube-api.ts';

let proxy: ApiProxy;
let engine: Engine;

startApiServer();
beforeAll(async () => {
  proxy = await ApiProxy.start(plane.kubeconfig);
  engine = await openEngine(proxy.kubeconfig);
  engine.cluster.start();
  await engine.cluster.firstSync();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const service = () => api.get(`${paths.services(orders.namespace)}/orders`);

describe('create', () => {
  test('makes an object whose fields a later apply can take away again', async () => {
    const { metadata } = await engine.cluster.create(serviceOf(orders));
    const withoutPort = {
      ...serviceOf(orders),
      spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
    };
    await engine.cluster.apply(withoutPort);

    expect(metadata.uid).toBeDefined();
    expect((await service()).spec.selector).toBeUndefined();
  });

  test('leaves an object that is there already exactly as it is, and says so', async () => {
    const before = await api.post(paths.services(orders.namespace), {
      metadata: { name: 'orders' },
      spec: { ports: [{ port: 1 }] },
    });

    await expect(engine.cluster.create(serviceOf(orders))).rejects.toMatchObject({
      kind: 'exists',
      message: `create Service ${orders.namespace}/orders: exists: it is there already`,
    });
    expect(await service()).toEqual(before);
  });

  test('is won by exactly one of many who try at the same time', async () => {
    const tries = Array.from({ length: 20 }, (_, i) => engine.cluster.create(serviceOf(orders, 1000 + i)));
    const results = await Promise.allSettled(tries);

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.kind] : []));
    expect(new Set(reasons)).toEqual(new Set(['exists']));
  });
});

describe('apply', () => {
  test('takes back what somebody else changed, and only that', async () => {
    await engine.cluster.create(serviceOf(orders));
    await api.patch(`${paths.services(orders.namespace)}/orders`, {
      metadata: { annotations: { 'their.test/note': 'mine' } },
      spec: { selector: { [Object.keys(ownLabels(orders))[1] ?? '']: 'somebody-else' } },
    });
    await engine.cluster.apply(serviceOf(orders));

    const { metadata, spec } = await service();
    expect(metadata.annotations).toEqual({ 'their.test/note': 'mine' });
    expect(spec.selector).toEqual({ 'microservice-platform.io/microservice': 'orders' });
  });

  test('of what is there already changes nothing', async () => {
    const created = await engine.cluster.create(serviceOf(orders));
    const applied = await engine.cluster.apply(serviceOf(orders));

    expect(applied.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
  });
});

describe('remove', () => {
  test('deletes that very object and never a later one of the same name', async () => {
    const { metadata } = await engine.cluster.create(serviceOf(orders));
    const ref = { kind: 'Service', ...orders, uid: metadata.uid ?? '' };
    await engine.cluster.remove(ref);
    const later = await engine.cluster.create(serviceOf(orders));
    await engine.cluster.remove(ref);

    expect((await service()).metadata.uid).toBe(later.metadata.uid);
  });

  test('counts what is gone already as deleted', async () => {
    await engine.cluster.remove({ kind: 'Service', ...orders, uid: 'of-nobody' });
  });
});

describe('writeStatus', () => {
  const written = async (status: unknown) => {
    const live: KubeObject = await api.get(`${paths.microservices(orders.namespace)}/orders`);
    await engine.cluster.writeStatus(live, status);
    return (await api.get(`${paths.microservices(orders.namespace)}/orders`)).status;
  };

  test('replaces the status: what is not in the new one is gone', async () => {
    await api.post(paths.microservices(orders.namespace), microservice(orders));
    await written({ observedGeneration: 1, pods: '1/2', readyReplicas: 1 });

    expect(await written({ observedGeneration: 2, readyReplicas: 0 })).toEqual({
      observedGeneration: 2,
      readyReplicas: 0,
    });
  });

  test('never reaches a later Microservice of the same name', async () => {
    const path = paths.microservices(orders.namespace);
    const first: KubeObject = await api.post(path, microservice(orders));
    await api.delete(`${path}/orders`);
    const second = await api.post(path, microservice(orders));

    await expect(engine.cluster.writeStatus(first, { pods: '2/2' })).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(await api.get(`${path}/orders`)).toEqual(second);
  });

  test('says that the Microservice is gone when it is', async () => {
    const path = paths.microservices(orders.namespace);
    const first: KubeObject = await api.post(path, microservice(orders));
    await api.delete(`${path}/orders`);

    await expect(engine.cluster.writeStatus(first, { pods: '2/2' })).rejects.toMatchObject({ kind: 'gone' });
  });
});

test('read asks the API server, whoever the object belongs to', async () => {
  const ref = { kind: 'Service', ...orders };
  expect(await engine.cluster.read(ref)).toBeUndefined();

  const foreign = await api.post(paths.services(orders.namespace), {
    metadata: { name: 'orders' },
    spec: { ports: [{ port: 1 }] },
  });
  expect(await engine.cluster.read(ref)).toEqual(foreign);
});

describe('a refused write names what was attempted on what, and why', () => {
  const broken = (spec: unknown): Manifest => ({ ...serviceOf(orders), spec });

  test('an invalid object', async () => {
    await expect(engine.cluster.create(broken({ ports: [{ port: 99_999 }] }))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(
        `create Service ${orders.namespace}/orders: invalid: Service "orders" is invalid`,
      ),
    });
  });

  test('an object that does not fit the schema, which the API server calls an internal error', async () => {
    await expect(engine.cluster.create(broken({ prots: [] }))).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('a namespace that is being deleted, and one that is not there', async () => {
    await api.delete(`/api/v1/namespaces/${orders.namespace}`);
    await expect(engine.cluster.create(serviceOf(orders))).rejects.toMatchObject({ kind: 'gone' });
    const nowhere = serviceOf({ namespace: 'nowhere', name: 'orders' });
    await expect(engine.cluster.create(nowhere)).rejects.toMatchObject({ kind: 'gone' });
  });

  test('rights that are missing', async () => {
    await using weak = await openEngine(join(plane.folder, 'pki', 'system-kube-proxy.kubeconfig'));
    await expect(weak.cluster.create(serviceOf(orders))).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('cannot patch resource "services"'),
    });
  });
});

describe('memory has caught up', () => {
  test('once it shows the last writes: child, status and deletion', async () => {
    const live: KubeObject = await api.post(paths.microservices(orders.namespace), microservice(orders));
    expect(engine.cluster.caughtUp(orders)).toBe(true);

    proxy.freezeWatches();
    const { metadata } = await engine.cluster.create(serviceOf(orders));
    await engine.cluster.writeStatus(live, { pods: '0/1' });
    await sleep(50);
    expect(engine.cluster.caughtUp(orders)).toBe(false);
    expect(engine.cluster.caughtUp({ ...orders, name: 'another' })).toBe(true);
    proxy.cutWatches();
    await eventually(() => expect(engine.cluster.caughtUp(orders)).toBe(true));
    expect(engine.cluster.children(orders)).toHaveLength(1);
    expect(engine.cluster.microservice(orders)?.status).toEqual({ pods: '0/1' });

    proxy.freezeWatches();
    await engine.cluster.remove({ kind: 'Service', ...orders, uid: metadata.uid ?? '' });
    await sleep(50);
    expect(engine.cluster.caughtUp(orders)).toBe(false);
    proxy.cutWatches();
    await eventually(() => expect(engine.cluster.caughtUp(orders)).toBe(true));
    expect(engine.cluster.children(orders)).toHaveLength(0);
  });

  test('at once after an apply that changed nothing', async () => {
    await engine.cluster.create(serviceOf(orders));
    await eventually(() => expect(engine.cluster.caughtUp(orders)).toBe(true));
    proxy.freezeWatches();
    await engine.cluster.apply(serviceOf(orders));

    expect(engine.cluster.caughtUp(orders)).toBe(true);
    proxy.cutWatches();
  });
});

describe('an event', () => {
  const about = async (reason: string) => ({
    regarding: (await api.post(paths.microservices(orders.namespace), microservice(orders))) as KubeObject,
    type: 'Normal' as const,
    reason,
    action: 'Reconcile',
    note: 'ä'.repeat(5_000),
  });

  test('is recorded about its object, its note cut to what the API server takes', async () => {
    const event = await about('Available');
    engine.cluster.emit(event);
    const recorded: Wire = await eventually(async () => {
      const { items } = await api.get(paths.events(orders.namespace));
      expect(items).toHaveLength(1);
      return items[0];
    });

    expect(recorded).toMatchObject({
      type: 'Normal',
      reason: 'Available',
      action: 'Reconcile',
      reportingController: 'microservice-platform.io/operator',
      regarding: { kind: 'Microservice', name: 'orders', uid: event.regarding.metadata.uid },
    });
    expect(recorded.note).toMatch(/^ä{510}…$/);
  });

  test('that cannot be recorded is counted and dropped; too many at once are too', async () => {
    const event = await about('Available');
    let dropped = 0;
    await using own = await openEngine(proxy.kubeconfig, { onEventDropped: () => (dropped += 1) });
    proxy.break(({ resource }) => (resource === 'events' ? { status: 403 } : undefined));
    for (let i = 0; i < 100; i += 1) own.cluster.emit(event);

    expect(dropped).toBe(100 - 32);
    await eventually(() => expect(dropped).toBe(100));
    proxy.break();
  });
});
