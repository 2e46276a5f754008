import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromKubeconfig, inCluster } from '../../operator/src/cluster/connection.ts';
import { get, microservices } from '../../operator/src/cluster/resource.ts';
import { Transport } from '../../operator/src/cluster/transport.ts';
import { ApiProxy, type Fault, type SeenRequest } from '../support/api-proxy.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { type Engine, openEngine, serviceOf } from '../support/engine.ts';
import { paths, readKubeconfig } from '../support/kube-api.ts';

let proxy: ApiProxy;
let engine: Engine;

startApiServer();
beforeEach(async () => {
  proxy = await ApiProxy.start(plane.kubeconfig);
  engine = await openEngine(proxy.kubeconfig);
});
afterEach(async () => {
  await engine[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

/** Has the first requests go wrong, one fault each; all others are passed on. */
function breakFirst(...faults: Fault[]): void {
  proxy.break(() => faults.shift());
}

const tried = (verb: SeenRequest['verb']) => proxy.seen.filter((request) => request.verb === verb);
const gaps = (requests: SeenRequest[]) => requests.slice(1).map(({ at }, i) => at - (requests[i]?.at ?? 0));

test('a thousand requests go over at most 32 connections', async () => {
  const key = (i: number) => ({ kind: 'Service', namespace: orders.namespace, name: `none-${i}` });
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => engine.cluster.read(key(i))));

  expect(tried('get')).toHaveLength(1_000);
  expect(proxy.connections).toBeLessThanOrEqual(32);
});

describe('a request that fails is sent again', () => {
  test.each<[string, Fault]>([
    ['a full API server (429)', { status: 429 }],
    ['an error of the API server (500)', { status: 500 }],
    ['an API server that goes down (503)', { status: 503 }],
    ['a cut connection', 'reset'],
    ['an answer that got lost', 'reset after'],
  ])('after %s', async (_, fault) => {
    breakFirst(fault, fault);
    await engine.cluster.apply(serviceOf(orders));

    expect(tried('apply')).toHaveLength(3);
    expect(Math.min(...gaps(tried('apply')))).toBeGreaterThan(45);
  });

  test('not before the time that the API server names', async () => {
    breakFirst({ status: 429, headers: { 'retry-after': '1' } });
    await engine.cluster.apply(serviceOf(orders));

    expect(gaps(tried('apply'))[0]).toBeGreaterThanOrEqual(1_000);
  });

  test('not before a later time either, which the API server names while others wait already', async () => {
    const read = (name: string) => engine.cluster.read({ kind: 'Service', namespace: orders.namespace, name });
    const refusals: Record<string, Fault> = {
      soon: { status: 429, headers: { 'retry-after': '1' } },
      later: { status: 429, headers: { 'retry-after': '2' }, afterMs: 500 },
    };
    proxy.break(({ name = '' }) => {
      const fault = refusals[name];
      delete refusals[name];
      return fault;
    });
    const start = performance.now();
    const refused = [read('later'), read('soon')];
    await sleep(200);
    await Promise.all([...refused, read('waiting')]);

    const sent = tried('get').filter(({ name }) => name === 'waiting')[0];
    expect((sent?.at ?? 0) - start).toBeGreaterThanOrEqual(2_450);
  });

  test('a bounded number of times', async () => {
    proxy.break(() => ({ status: 500, body: 'broken' }));

    await expect(engine.cluster.apply(serviceOf(orders))).rejects.toMatchObject({
      kind: 'unavailable',
      message: `apply Service ${orders.namespace}/orders: unavailable: broken`,
    });
    expect(tried('apply').length).toBeLessThanOrEqual(5);
  });
});

describe('a create, which may not be done twice, is', () => {
  test.each<[string, Fault]>([
    ['a lost answer', 'reset after'],
    ['a cut connection', 'reset'],
    ['an error', { status: 500 }],
  ])('not sent again after %s', async (_, fault) => {
    breakFirst(fault);

    await expect(engine.cluster.create(serviceOf(orders))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(tried('apply')).toHaveLength(1);
  });

  test('sent again when it was certainly not carried out', async () => {
    breakFirst({ status: 429 });
    await engine.cluster.create(serviceOf(orders));

    expect(tried('apply')).toHaveLength(2);
  });
});

test('a request that the API server refuses for good is not sent again', async () => {
  proxy.break(() => ({ status: 403 }));

  await expect(engine.cluster.apply(serviceOf(orders))).rejects.toMatchObject({ kind: 'denied' });
  expect(tried('apply')).toHaveLength(1);
});

test('when the API server asks to wait, all requests wait', async () => {
  breakFirst({ status: 429, headers: { 'retry-after': '1' } });
  const first = engine.cluster.apply(serviceOf(orders));
  await expect.poll(() => tried('apply').length).toBe(1);
  await Promise.all([first, engine.cluster.read({ kind: 'Service', ...orders })]);

  expect((tried('get')[0]?.at ?? 0) - (tried('apply')[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
});

describe('with a deadline', () => {
  beforeEach(async () => {
    await engine[Symbol.asyncDispose]();
    engine = await openEngine(proxy.kubeconfig, { deadlineMs: 500 });
  });

  test('a call ends, and says that there was no answer', async () => {
    proxy.break(() => ({ delayMs: 5_000 }));
    const start = performance.now();

    await expect(engine.cluster.read({ kind: 'Service', ...orders })).rejects.toMatchObject({
      kind: 'unavailable',
      message: `get Service ${orders.namespace}/orders: unavailable: no answer before the deadline`,
    });
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('a call does not wait longer than that for an API server that asks it to: the caller is told for how long', async () => {
    breakFirst({ status: 429, headers: { 'retry-after': '30' } });

    await expect(engine.cluster.apply(serviceOf(orders))).rejects.toMatchObject({ retryAfterMs: 30_000 });
    await expect(engine.cluster.read({ kind: 'Service', ...orders })).rejects.toMatchObject({
      message: expect.stringContaining('the API server asked to wait another 30 s'),
    });
    expect(proxy.seen).toHaveLength(1);
  });
});

test('an API server that is not there is named', async () => {
  await proxy[Symbol.asyncDispose]();
  proxy = await ApiProxy.start(plane.kubeconfig);

  await expect(engine.cluster.apply(serviceOf(orders))).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

describe('a write of an operator that leads no more', () => {
  const open = async (writesUntil: () => number) => {
    await engine[Symbol.asyncDispose]();
    engine = await openEngine(proxy.kubeconfig, { connections: 1, writesUntil });
  };

  test('is not sent, while reads are', async () => {
    await open(() => performance.now() - 1);
    await expect(engine.cluster.apply(serviceOf(orders))).rejects.toMatchObject({
      kind: 'unavailable',
      message: `apply Service ${orders.namespace}/orders: unavailable: this operator is not the leader`,
    });
    await engine.cluster.read({ kind: 'Service', ...orders });

    expect(proxy.seen.map(({ verb }) => verb)).toEqual(['get']);
  });

  test('is not sent once it may no longer be, even where it got its connection before', async () => {
    let until = Number.POSITIVE_INFINITY;
    await open(() => until);
    breakFirst({ delayMs: 500 });
    const first = engine.cluster.read({ kind: 'Service', ...orders });
    const second = engine.cluster.apply(serviceOf(orders)); // Waits for the only connection.
    until = performance.now() + 100;

    await first;
    await expect(second).rejects.toMatchObject({ kind: 'unavailable' });
    expect(proxy.seen.map(({ verb }) => verb)).toEqual(['get']);
  });

  test('is over when it may no longer be, however slow the API server is', async () => {
    await open(() => start + 300);
    proxy.break(() => ({ delayMs: 5_000 }));
    const start = performance.now();
    await expect(engine.cluster.apply(serviceOf(orders))).rejects.toMatchObject({ kind: 'unavailable' });

    expect(performance.now() - start).toBeLessThan(1_500);
  });
});

describe('the identity of a pod', () => {
  let folder: string;
  const write = (token: string, ca: string | Buffer) => {
    writeFileSync(join(folder, 'token'), `${token}\n`);
    writeFileSync(join(folder, 'ca.crt'), ca);
  };
  const { host, port } = { host: '127.0.0.1', port: () => new URL(plane.url).port };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'service-account-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is renewed while running: a token that is no longer taken is read anew', async () => {
    const { token, ca } = readKubeconfig(plane.kubeconfig);
    write('expired', ca);
    const transport = new Transport(await inCluster({ host, port: port() }, folder));
    const ask = () => get(transport, { kind: 'Microservice', ...orders });

    await expect(ask()).rejects.toMatchObject({ kind: 'denied' });
    write(token, ca);
    await expect(ask()).rejects.toMatchObject({ kind: 'gone' });
    await transport.close(100);
  });

  test('holds the API server to its certificate authority, and takes a new one while running', async () => {
    const { token, ca } = readKubeconfig(plane.kubeconfig);
    write(token, readKubeconfig(plane.kubeconfig).ca.subarray(0, 0));
    const connection = await inCluster({ host, port: port() }, folder);
    const transport = new Transport(connection, { deadlineMs: 300 });
    const ask = () => get(transport, { kind: 'Microservice', ...orders });

    await expect(ask()).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('certificate'),
    });
    write(token, ca);
    await connection.authorization({ renewed: true });
    await expect(ask()).rejects.toMatchObject({ kind: 'gone' });
    await transport.close(100);
  });

  test('that is missing is named at the start', async () => {
    await expect(inCluster({ host, port: '1' }, join(folder, 'nowhere'))).rejects.toThrow('token');
  });
});

test('TLS sessions and connections are shared by all requests', async () => {
  const transport = new Transport(await fromKubeconfig(plane.kubeconfig));
  await api.post(paths.microservices(orders.namespace), {
    apiVersion: microservices.apiVersion,
    kind: microservices.kind,
    metadata: { name: 'orders' },
    spec: { image: 'example.test/orders:1.0.0' },
  });
  const start = performance.now();
  for (let i = 0; i < 200; i += 1) await get(transport, { kind: 'Microservice', ...orders });

  // With a TLS handshake each, this takes several times as long.
  expect((performance.now() - start) / 200).toBeLessThan(10);
  await transport.close(100);
});
