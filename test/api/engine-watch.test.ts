import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { childKinds } from '../../operator/src/api/kinds.ts';
import { ApiProxy, type SeenRequest } from '../support/api-proxy.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { type Engine, type EngineOptions, openEngine, ownLabels, serviceOf } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths } from '../support/kube-api.ts';

/** Microservices, pods, names and versions of ConfigMaps, and one for each kind of child. */
const watches = 3 + childKinds.length;

let proxy: ApiProxy;
let engine: Engine;
let services: string;

startApiServer();
beforeEach(async () => {
  services = paths.services(orders.namespace);
  proxy = await ApiProxy.start(plane.kubeconfig);
});
afterEach(async () => {
  await engine[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

async function start(options: EngineOptions = {}): Promise<void> {
  engine = await openEngine(proxy.kubeconfig, options);
  engine.cluster.start();
}

async function synced(options: EngineOptions = {}): Promise<void> {
  await start(options);
  await engine.cluster.firstSync();
  await eventually(() => expect(proxy.openWatches).toBe(watches));
}

const seenServices = () => engine.cluster.children(orders).map(({ metadata }) => metadata.name);
const tried = (verb: SeenRequest['verb'], resource = 'services') =>
  proxy.seen.filter((request) => request.verb === verb && request.resource === resource);
const add = (name: string, port = 80) => api.post(services, serviceOf(orders, port, name));
const sees = (...names: string[]) => eventually(() => expect(seenServices().sort()).toEqual(names));

/** The proof that nobody is deaf: a change made now is seen. */
async function hears(name = 'canary'): Promise<void> {
  await add(name);
  await eventually(() => expect(seenServices()).toContain(name));
}

test('before the resource definition is installed it says what is missing, and begins when it is there', async () => {
  proxy.break(({ resource }) => (resource === 'microservices' ? { status: 404 } : undefined));
  await start();
  await eventually(() => expect(engine.cluster.unsynced).toEqual(['Microservice']));
  await eventually(() =>
    expect(engine.logged).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        resource: 'microservices',
        remedy: 'install microservices of microservice-platform.io/v1alpha1 in the cluster',
      }),
    ),
  );
  proxy.break();
  await engine.cluster.firstSync();

  expect(engine.cluster.unsynced).toEqual([]);
});

describe('memory', () => {
  test('holds what is in the cluster, also when that is more than one page', async () => {
    const count = 501;
    const path = paths.deployments(orders.namespace);
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { replicas: 0, selector: { matchLabels: { a: 'b' } }, template };
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        api.post(path, { metadata: { name: `d-${i}`, labels: ownLabels(orders) }, spec }),
      ),
    );
    await synced();

    expect(engine.cluster.children(orders)).toHaveLength(count);
    expect(tried('list', 'deployments')).toHaveLength(2);
    expect(engine.cluster.children(orders)[0]).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment' });
    expect(engine.cluster.children(orders)[0]?.metadata).not.toHaveProperty('managedFields');
  });

  test('never holds what is not ours', async () => {
    await api.post(services, { metadata: { name: 'foreign' }, spec: { ports: [{ port: 1 }] } });
    await add('ours');
    await synced();

    await sees('ours');
    expect(tried('list')[0]?.query.get('labelSelector')).toBe('app.kubernetes.io/managed-by=microservice-platform');
    expect(tried('watch', 'pods')[0]?.query.get('labelSelector')).toBe('microservice-platform.io/microservice');
  });

  test('never goes back in time', async () => {
    await synced();
    const old = await add('a', 80);
    await api.patch(`${services}/a`, { spec: { ports: [{ name: 'http', port: 81 }] } });
    const port = () => engine.cluster.children(orders).map(({ spec }) => (spec as typeof old.spec).ports[0].port);
    await eventually(() => expect(port()).toEqual([81]));
    proxy.injectIntoWatches('services', `${JSON.stringify({ type: 'MODIFIED', object: old })}\n`);
    await hears();

    expect(port()).toEqual([81, 80]);
  });
});

describe('work is asked for', () => {
  const id = () => `${orders.namespace}/orders`;
  const askedBy = async (act: () => Promise<unknown>) => {
    await sleep(50);
    engine.asked.length = 0;
    await act();
    await eventually(() => expect(engine.asked).toContain(id()));
  };
  const owner = {
    apiVersion: 'microservice-platform.io/v1alpha1',
    kind: 'Microservice',
    name: 'orders',
    uid: '12345678-1234-1234-1234-123456789012',
  };

  test('when a child is edited, loses its labels or is deleted', async () => {
    await synced();
    await askedBy(() => add('a'));
    await askedBy(() => api.patch(`${services}/a`, { spec: { ports: [{ name: 'http', port: 81 }] } }));
    await askedBy(() => api.patch(`${services}/a`, { metadata: { labels: null } }));
    await askedBy(() => add('b'));
    await askedBy(() => api.delete(`${services}/b`));
  });

  test('when a child belongs to a Microservice by its owner reference alone', async () => {
    await synced();
    const child = serviceOf(orders, 80, 'a');
    const labels = { 'app.kubernetes.io/managed-by': 'microservice-platform' };
    const metadata = { ...child.metadata, labels, ownerReferences: [owner] };
    await askedBy(() => api.post(services, { ...child, metadata }));
    expect(seenServices()).toEqual([]);
  });

  test('when a pod changes', async () => {
    await api.post(`/api/v1/namespaces/${orders.namespace}/serviceaccounts`, {
      metadata: { name: 'default' },
    });
    await synced();
    const pod = {
      metadata: { name: 'p', labels: ownLabels(orders) },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    await askedBy(() => api.post(paths.pods(orders.namespace), pod));
    expect(engine.cluster.pods(orders)).toMatchObject([{ metadata: { name: 'p' }, status: { phase: 'Pending' } }]);
    expect(engine.cluster.pods(orders)[0]).not.toHaveProperty('spec');
  });
});

describe('a watch goes on after', () => {
  test('being cut: what happened meanwhile is told, nothing is listed anew', async () => {
    await synced();
    await add('a');
    await sees('a');
    proxy.break(({ verb }) => (verb === 'watch' ? 'reset' : undefined));
    proxy.cutWatches();
    await Promise.all([api.delete(`${services}/a`), add('b')]);
    await sleep(300);
    expect(seenServices()).toEqual(['a']);
    proxy.break();

    await sees('b');
    expect(tried('list')).toHaveLength(1);
    const from = tried('watch').map(({ query }) => BigInt(query.get('resourceVersion') ?? ''));
    expect(from.at(-1)).toBeGreaterThan(from[0] ?? 0n);
  });

  test('its place in history is lost: all is listed anew, and what went meanwhile is gone', async () => {
    await synced();
    await Promise.all([add('a'), add('b')]);
    await sees('a', 'b');
    proxy.freezeWatches();
    await Promise.all([api.delete(`${services}/a`), add('c')]);
    proxy.expireWatches();

    await sees('b', 'c');
    expect(tried('list')).toHaveLength(2);
    await hears();
  });

  test('being refused because its place in history is lost', async () => {
    await synced();
    let refused = 0;
    proxy.break(({ verb, resource }) => {
      if (verb !== 'watch' || resource !== 'services' || refused > 0) return undefined;
      refused += 1;
      return { status: 410, body: '{"kind":"Status","code":410,"reason":"Expired"}' };
    });
    const others = tried('list', 'deployments').length;
    proxy.cutWatches();

    await hears();
    expect(tried('list')).toHaveLength(2);
    expect(tried('list', 'deployments')).toHaveLength(others);
  });

  test('going silent without end: nothing came for longer than it may take', async () => {
    await synced({ inactivityMs: 2_000 });
    proxy.freezeWatches();
    await add('a');

    await sees('a');
    await hears();
  });

  test('bytes that are no line of a watch', async () => {
    await synced();
    proxy.injectIntoWatches('services', '{"type":"MODIFIED","object":{"metadata":{"password": \n');

    await hears();
    expect(JSON.stringify(engine.logged)).not.toContain('password');
  });

  test('being cut in the middle of a line', async () => {
    await synced();
    proxy.freezeWatches();
    await add('a');
    proxy.injectIntoWatches('services', '{"type":"ADDED","object":{"metadata"');
    await sleep(50);
    proxy.cutWatches();

    await sees('a');
  });

  test.each([429, 500, 503, 403])('being refused with %i, again and again, with growing pauses', async (status) => {
    await synced();
    proxy.break(({ verb, resource }) => (verb === 'watch' && resource === 'services' ? { status } : undefined));
    proxy.cutWatches();
    const before = tried('watch').length;
    await sleep(1_500);
    const attempts = tried('watch').length - before;
    proxy.break();

    await hears();
    expect(attempts).toBeGreaterThanOrEqual(2);
    expect(attempts).toBeLessThanOrEqual(6);
  });

  test('a list that fails after its place in history was lost', async () => {
    await synced();
    let failures = 0;
    proxy.break(({ verb }) => (verb === 'list' && failures++ < 20 ? { status: 500 } : undefined));
    proxy.expireWatches();

    await eventually(() => expect(engine.cluster.unsynced).not.toEqual([]));
    await hears();
    await eventually(() => expect(engine.cluster.unsynced).toEqual([]));
  });

  test('the API server itself was gone', async () => {
    await synced();
    await add('a');
    await sees('a');
    await plane.restartApiServer();

    await eventually(() => add('b'), { withinMs: 20_000 });
    await sees('a', 'b');
  });

  test('whoever is told about a change fails: the next one is told all the same', async () => {
    const told: string[] = [];
    await synced({
      onChange: ({ name }) => {
        told.push(name);
        throw new Error('cannot take it');
      },
    });
    await add('a');
    await add('b');

    await eventually(() => expect(told.length).toBeGreaterThanOrEqual(2));
    expect(tried('watch')).toHaveLength(1);
    expect(engine.logged).toContainEqual(expect.objectContaining({ message: 'a change could not be passed on' }));
  });
});

test('watches are asked for with bookmarks and end on the server at random times of 5 to 10 minutes', async () => {
  await synced();
  const times = proxy.seen
    .filter(({ verb }) => verb === 'watch')
    .map(({ query }) => Number(query.get('timeoutSeconds')));

  expect(tried('watch')[0]?.query.get('allowWatchBookmarks')).toBe('true');
  for (const time of times) expect(time).toBeGreaterThanOrEqual(300);
  for (const time of times) expect(time).toBeLessThanOrEqual(600);
  expect(new Set(times).size).toBeGreaterThan(1);
});

test('after the stop nothing is open and nothing is asked for any more', async () => {
  await synced();
  await engine[Symbol.asyncDispose]();
  await eventually(() => expect(proxy.open).toBe(0));
  const before = proxy.seen.length;
  await sleep(500);

  expect(proxy.seen).toHaveLength(before);
});
