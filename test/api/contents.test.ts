import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromKubeconfig } from '../../operator/src/cluster/connection.ts';
import { list, metadataOf, watch } from '../../operator/src/cluster/resource.ts';
import { Transport } from '../../operator/src/cluster/transport.ts';
import type { ContentRef } from '../../operator/src/desired/content.ts';
import { ApiProxy } from '../support/api-proxy.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { type Engine, type EngineOptions, microservice, openEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { makeNamespace, paths, type Wire } from '../support/kube-api.ts';

/** So long after a change everything has come of it that will. */
const quietMs = 400;

let engine: Engine;
/** `get ConfigMap` and the like, every single one. */
let requests: string[];

startApiServer();
beforeEach(() => {
  requests = [];
});
afterEach(async () => {
  await engine[Symbol.asyncDispose]();
});

async function synced(options: EngineOptions = {}, kubeconfig = plane.kubeconfig): Promise<void> {
  engine = await openEngine(kubeconfig, { observe: (verb, kind) => requests.push(`${verb} ${kind}`), ...options });
  engine.cluster.start();
  await engine.cluster.firstSync();
}

type Kind = ContentRef['kind'];

const pathOf = (name: string, kind: Kind = 'ConfigMap') =>
  `/api/v1/namespaces/${orders.namespace}/${kind === 'Secret' ? 'secrets' : 'configmaps'}${name && `/${name}`}`;
const make = (name: string, data: object, kind: Kind = 'ConfigMap'): Promise<Wire> =>
  api.post(pathOf('', kind), { metadata: { name }, ...(kind === 'Secret' ? { stringData: data } : { data }) });
const ref = (name: string, kind: Kind = 'ConfigMap', keys?: readonly string[]): ContentRef => ({
  kind,
  name,
  optional: false,
  ...(keys && { keys }),
});
const gets = (kind: Kind = 'ConfigMap') => requests.filter((each) => each === `get ${kind}`).length;
const id = () => `${orders.namespace}/orders`;
const contents = (...refs: ContentRef[]) => engine.cluster.contents(orders, refs);

/** What is in use, once it is known; all that was asked until then is forgotten. */
async function known(...refs: ContentRef[]): Promise<readonly string[]> {
  await settle(async () => {}); // What was just made is in memory now.
  await settle(async () => contents(...refs));
  const digests = contents(...refs);
  if (digests === undefined) throw new Error('the content in use is not known');
  engine.asked.length = 0;
  requests.length = 0;
  return digests;
}

async function openTransport(): Promise<Transport & AsyncDisposable> {
  const transport = new Transport(await fromKubeconfig(plane.kubeconfig));
  return Object.assign(transport, { [Symbol.asyncDispose]: () => transport.close(0) });
}

/** Does something and waits until all has come of it that will. */
async function settle(act: () => Promise<unknown>): Promise<void> {
  await act();
  await sleep(quietMs);
}

describe('content in use', () => {
  test('is told once when it changes, for one read, and costs nothing at rest', async () => {
    await synced();
    await make('settings', { level: 'info' });
    const before = await known(ref('settings'));
    await settle(() => api.patch(pathOf('settings'), { data: { level: 'debug' } }));
    expect(engine.asked).toEqual([id()]);
    expect(requests).toEqual(['get ConfigMap']);
    expect(contents(ref('settings'))).not.toEqual(before);
    await sleep(2_000);

    expect(requests).toEqual(['get ConfigMap']);
    expect(engine.asked).toEqual([id()]);
  });

  test('is not told for labels, annotations, or keys that are not in use', async () => {
    await synced();
    await make('settings', { level: 'info' });
    const before = await known(ref('settings', 'ConfigMap', ['level']));
    await settle(() => api.patch(pathOf('settings'), { metadata: { labels: { a: 'b' }, annotations: { a: 'b' } } }));
    await settle(() => api.patch(pathOf('settings'), { data: { other: '1' }, binaryData: { bytes: 'AAEC' } }));

    expect(engine.asked).toEqual([]);
    expect(gets()).toBe(2);
    expect(contents(ref('settings', 'ConfigMap', ['level']))).toEqual(before);
  });

  test('is absent until it is made, and again after it was deleted', async () => {
    await synced();
    expect(await known(ref('settings'))).toEqual(['absent']);
    await settle(() => make('settings', { level: 'info' }));
    expect(engine.asked).toEqual([id()]);
    const [first] = await known(ref('settings'));
    await settle(() => api.delete(pathOf('settings')));
    expect(engine.asked).toEqual([id()]);
    expect(await known(ref('settings'))).toEqual(['absent']);
    await settle(() => make('settings', { level: 'info' }));
    expect(engine.asked).toEqual([id()]);

    expect(await known(ref('settings'))).toEqual([first]);
  });

  test('is of no interest any more when the Microservice is gone', async () => {
    await synced();
    await make('settings', { level: 'info' });
    await api.post(paths.microservices(orders.namespace), microservice(orders));
    await eventually(() => expect(engine.cluster.microservice(orders)).toBeDefined());
    await known(ref('settings'));
    await api.delete(`${paths.microservices(orders.namespace)}/orders`);
    await eventually(() => expect(engine.cluster.microservice(orders)).toBeUndefined());
    requests.length = 0;
    engine.asked.length = 0;
    await settle(() => api.patch(pathOf('settings'), { data: { level: 'debug' } }));

    expect(requests).toEqual([]);
    expect(engine.asked).toEqual([]);
  });

  test('that changed while no watch was open is found when there is one again', async () => {
    await using proxy = await ApiProxy.start(plane.kubeconfig);
    await synced({}, proxy.kubeconfig);
    await make('settings', { level: 'info' });
    await make('gone', { level: 'info' });
    await known(ref('settings'), ref('gone'));
    proxy.break(() => ({ status: 503 }));
    proxy.cutWatches();
    await api.patch(pathOf('settings'), { data: { level: 'debug' } });
    await api.delete(pathOf('gone'));
    await sleep(quietMs);
    expect(engine.asked).toEqual([]);
    proxy.break();

    await eventually(() => expect(contents(ref('gone'))).toEqual(['absent']));
    await eventually(() => expect(engine.asked).toContain(id()));
    expect(proxy.seen.filter(({ verb, name }) => verb === 'get' && name === 'settings')).not.toEqual([]);
    await engine[Symbol.asyncDispose]();
  });
});

test('an unrelated ConfigMap costs nothing but its line in memory', async () => {
  await synced();
  await make('settings', {});
  await known(ref('settings'));
  await make('unrelated', { a: '1' });
  await api.patch(pathOf('unrelated'), { data: { a: '2' } });
  await settle(() => api.delete(pathOf('unrelated')));

  expect(requests).toEqual([]);
  expect(engine.asked).toEqual([]);
});

describe('what the operator asks for to see that content changed', () => {
  const holders = metadataOf('ConfigMap');
  const many = Array.from({ length: 501 }, (_, index) => `c-${index}`);

  test('shows names and versions and nothing of what objects hold', async () => {
    await synced();
    await using transport = await openTransport();
    const { resourceVersion } = await list(transport, holders, {});
    await Promise.all(many.map((name) => make(name, { level: 'hidden' })));
    await make('last', { level: 'hidden' });
    const first = await list(transport, holders, {});
    const second = await list(transport, holders, { next: first.next });
    const told = await toldSince(transport, resourceVersion, 'last');

    const listed = [...first.items, ...second.items].map(({ metadata }) => metadata.name);
    expect(listed).toEqual(expect.arrayContaining([...many, 'last']));
    expect(told.split('"type":"ADDED"').length).toBeGreaterThan(many.length);
    expect(told + JSON.stringify([first, second])).not.toContain('hidden');
  });

  /** All that a watch tells, up to an object of that name. */
  async function toldSince(transport: Transport, resourceVersion: string, name: string): Promise<string> {
    const signal = AbortSignal.timeout(10_000);
    const changes = await watch(transport, holders, {
      resourceVersion,
      timeoutSeconds: 60,
      inactivityMs: 5_000,
      signal,
    });
    let text = '';
    for await (const change of changes) {
      text += change.toString();
      if (text.includes(`"name":"${name}"`)) break;
    }
    return text;
  }
});

describe('content of Secrets', () => {
  let own: string;
  const contentKey = () => ({ namespace: own, name: 'operator-content-key' });
  const keySecret = () => `/api/v1/namespaces/${own}/secrets/operator-content-key`;
  const password = () => ref('database', 'Secret', ['password']);

  beforeEach(async () => {
    own = await makeNamespace(api);
  });

  test('is neither watched nor read unless the operator is told where to keep a key', async () => {
    await synced();
    expect(requests.filter((each) => each.endsWith('Secret'))).toEqual([]);
    expect(() => contents(password())).toThrow('the content of a Secret is not to be read');
  });

  test('is told when it changes, by a digest that tells nothing about it', async () => {
    await synced({ contentKey: contentKey() });
    await make('database', { password: 'guess' }, 'Secret');
    await make('database', { password: 'guess' });
    const [secret, plain] = await known(password(), ref('database', 'ConfigMap', ['password']));
    expect(secret).not.toBe(plain);
    await settle(() => api.patch(pathOf('database', 'Secret'), { stringData: { password: 'other' } }));

    expect(engine.asked).toEqual([id()]);
    expect(requests).toEqual(['get Secret']);
  });

  test('has the same digest after a restart of the operator, and another with another key', async () => {
    await synced({ contentKey: contentKey() });
    await make('database', { password: 'guess' }, 'Secret');
    const first = await known(password());
    await engine[Symbol.asyncDispose]();
    await synced({ contentKey: contentKey() });
    expect(await known(password())).toEqual(first);
    await engine[Symbol.asyncDispose]();
    await api.delete(keySecret());
    await synced({ contentKey: contentKey() });

    expect(await known(password())).not.toEqual(first);
  });

  test('depends on a key of 32 random bytes that nobody can change and nobody reads in a log', async () => {
    await synced({ contentKey: contentKey() });
    const { data, immutable } = await api.get(keySecret());
    expect(Buffer.from(data.key, 'base64')).toHaveLength(32);
    expect(immutable).toBe(true);
    const logged = JSON.stringify(engine.logged);

    expect(logged).toContain('key of the digests of Secrets made');
    for (const form of ['base64', 'hex', 'latin1'] as const) {
      expect(logged).not.toContain(Buffer.from(data.key, 'base64').toString(form));
    }
  });

  test('depends on one key, also when two operators start at once', async () => {
    const start = () =>
      openEngine(plane.kubeconfig, { contentKey: contentKey() }).then(async (each) => {
        each.cluster.start();
        await each.cluster.firstSync();
        return each;
      });
    await make('database', { password: 'guess' }, 'Secret');
    const engines = await Promise.all(Array.from({ length: 5 }, start));
    const digests = await Promise.all(
      engines.map((each) =>
        eventually(() => {
          const known = each.cluster.contents(orders, [password()]);
          expect(known).toBeDefined();
          return known?.[0];
        }),
      ),
    );
    engine = engines[0] as Engine;
    for (const each of engines.slice(1)) await each[Symbol.asyncDispose]();

    expect(new Set(digests).size).toBe(1);
  });

  test('waits for a key: without one the operator does not begin, and says why', async () => {
    await api.post(`/api/v1/namespaces/${own}/secrets`, {
      metadata: { name: 'operator-content-key' },
      stringData: { key: 'short' },
    });
    engine = await openEngine(plane.kubeconfig, { contentKey: contentKey() });
    engine.cluster.start();
    await eventually(() => expect(engine.cluster.unsynced).toEqual(['the key of the digests of Secrets']));
    await eventually(() =>
      expect(engine.logged).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          reason: `Secret ${own}/operator-content-key holds no 32 bytes under key: delete it, and another is made`,
        }),
      ),
    );
    expect(JSON.stringify(engine.logged)).not.toContain('short');
    await api.delete(keySecret());
    await engine.cluster.firstSync();

    expect(engine.cluster.unsynced).toEqual([]);
  });
});
