import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { instancesClient } from '../../services/common/src/discovery/instances-client.ts';
import type { Discovery, ServiceInfo } from '../../services/common/src/discovery/service-registry.ts';
import { service } from '../../services/common/src/serving/service.ts';
import { freePort } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const well: Answer = (_, response) => void response.end('{}');

/** An instance in the test's hands. */
async function instance(id: string, answer: Answer = well, port = 0) {
  let asked = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('close', () => (connections -= 1));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  closers.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return {
    info: infoOf(id, (server.address() as AddressInfo).port),
    asked: () => asked,
    connections: () => connections,
  };
}

/** An instance that is registered, and where nobody listens. */
const dead = async (id: string) => ({ info: infoOf(id, await freePort()), asked: () => 0, connections: () => 0 });

const infoOf = (id: string, port: number): ServiceInfo => ({
  id,
  name: 'orders',
  address: '127.0.0.1',
  port,
  metadata: {},
  tags: [],
});

type Known = readonly { readonly info: ServiceInfo }[];

/** A registry in the test's hands: what is said to be there, is. */
function said(first: Known) {
  let known = first;
  const watching = new Set<(instances: readonly ServiceInfo[]) => void>();
  const infos = () => known.map(({ info }) => info);
  const discovery: Pick<Discovery, 'discover' | 'watch'> = {
    discover: async () => infos(),
    watch: (_, onChange) => {
      watching.add(onChange);
      return () => void watching.delete(onChange);
    },
  };
  return {
    discovery,
    say: (now: Known) => {
      known = now;
      for (const tell of watching) tell(infos());
    },
  };
}

function clientOf(discovery: Pick<Discovery, 'discover' | 'watch'>, options: object = {}) {
  const client = instancesClient({ baseUrl: 'http://orders', service: 'orders', discovery, ...options });
  closers.push(() => client.close());
  return client;
}

async function times(count: number, ask: () => Promise<unknown>): Promise<void> {
  for (let made = 0; made < count; made++) await ask();
}

describe('a client of the instances of a service', () => {
  it('asks them in turns', async () => {
    const all = [await instance('1'), await instance('2'), await instance('3')];
    const client = clientOf(said(all).discovery, { balancing: 'round-robin' });
    await times(9, () => client.request('GET', '/'));
    expect(all.map(({ asked }) => asked())).toEqual([3, 3, 3]);
  });

  it('asks one that is slow less often', async () => {
    const held: ServerResponse[] = [];
    const slow = await instance('1', (_, response) => void held.push(response));
    const fast = await instance('2');
    const client = clientOf(said([slow, fast]).discovery);
    const first = client.request('GET', '/');
    await eventually(() => expect(held).toHaveLength(1));
    await times(10, () => client.request('GET', '/'));
    expect([slow.asked(), fast.asked()]).toEqual([1, 10]);
    held[0]?.end('{}');
    await first;
  });

  it('asks one that left a moment ago when none that is there takes the connection, and only then', async () => {
    const [lives, died] = [await instance('1'), await dead('2')];
    const registry = said([lives, died]);
    const client = clientOf(registry.discovery);
    await times(3, () => client.request('GET', '/'));
    registry.say([died]);
    await times(5, () => client.request('POST', '/'));
    expect(lives.asked()).toBe(8);
    const other = await instance('3');
    registry.say([died, other]);
    await times(5, () => client.request('GET', '/'));
    expect([lives.asked(), other.asked()]).toEqual([8, 5]);
    await client.close();
    await eventually(() => expect(lives.connections()).toBe(0));
  });

  it('asks another at once when one does not take the connection, whatever is asked, and spares that one for a while', async () => {
    const [gone, there] = [await dead('1'), await instance('2')];
    const client = clientOf(said([gone, there]).discovery, { balancing: 'round-robin' });
    await client.request('POST', '/');
    const back = await instance('1', well, gone.info.port);
    await times(9, () => client.request('POST', '/'));
    expect([back.asked(), there.asked()]).toEqual([0, 10]);
  });

  it('says which connection failed when none takes it', async () => {
    const client = clientOf(said([await dead('1'), await dead('2')]).discovery);
    await expect(client.request('POST', '/')).rejects.toThrow(/POST \/: connect ECONNREFUSED/);
  });

  it('repeats what may be repeated at another one when the connection breaks, and nothing else', async () => {
    const breaking = await instance('1', (_, response) => void response.destroy());
    const there = await instance('2');
    const client = clientOf(said([breaking, there]).discovery, { balancing: 'round-robin' });
    await client.request('GET', '/');
    expect([breaking.asked(), there.asked()]).toEqual([1, 1]);
    await expect(client.request('POST', '/')).rejects.toMatchObject({ code: 'upstream_error' });
    expect([breaking.asked(), there.asked()]).toEqual([2, 1]);
  });

  it('repeats at another one although that is busier', async () => {
    const held: ServerResponse[] = [];
    const busy = await instance('1', (_, response) => void held.push(response));
    const registry = said([busy]);
    const client = clientOf(registry.discovery);
    const first = client.request('GET', '/');
    await eventually(() => expect(held).toHaveLength(1));
    const breaking = await instance('2', (_, response) => void response.destroy());
    registry.say([busy, breaking]);
    const second = client.request('GET', '/');
    await eventually(() => expect(held).toHaveLength(2));
    for (const response of held) response.end('{}');
    await Promise.all([first, second]);
    expect(breaking.asked()).toBe(1);
  });

  it('asks one no more that left, lets it end what it was asked, and closes its connections', async () => {
    const held: ServerResponse[] = [];
    const leaving = await instance('1', (_, response) => void held.push(response));
    const staying = await instance('2');
    const registry = said([leaving]);
    const client = clientOf(registry.discovery, { balancing: 'round-robin' });
    const asked = client.request('GET', '/');
    await eventually(() => expect(held).toHaveLength(1));
    registry.say([staying]);
    await times(5, () => client.request('GET', '/'));
    expect([leaving.asked(), leaving.connections(), staying.asked()]).toEqual([1, 1, 5]);
    held[0]?.end('{"last":true}');
    expect((await asked).body).toEqual({ last: true });
    await eventually(() => expect(leaving.connections()).toBe(0), { withinMs: 1_000 });
  });

  it('asks one that has just come', async () => {
    const [first, second] = [await instance('1'), await instance('2')];
    const registry = said([first]);
    const client = clientOf(registry.discovery);
    await client.request('GET', '/');
    registry.say([first, second]);
    await client.request('GET', '/');
    expect([first.asked(), second.asked()]).toEqual([1, 1]);
  });

  it('says that there are none, at once, and its service answers 503 until there is one', async () => {
    const registry = said([]);
    const app = service({ name: 'edge', version: '1', logLevel: 'silent', checks: {} });
    const client = clientOf(registry.discovery, { registry: app.metrics.registry });
    app.get('/', async () => (await client.request('GET', '/')).body);
    closers.push(() => app.close());

    await expect(client.request('GET', '/')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'no healthy instances of orders found',
    });
    await times(20, async () => expect((await app.inject('/')).statusCode).toBe(503));
    registry.say([await instance('1')]);
    expect((await app.inject('/')).statusCode).toBe(200);
  });

  it('says why when the registry has never answered', async () => {
    const discovery = { ...said([]).discovery, discover: () => Promise.reject(new Error('no answer within 2000 ms')) };
    await expect(clientOf(discovery).request('GET', '/')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'where orders is, is not known: no answer within 2000 ms',
    });
  });

  it('counts the instances of each service that it knows', async () => {
    const metrics = new Registry();
    const registry = said([]);
    clientOf(registry.discovery, { registry: metrics });
    clientOf(said([]).discovery, { registry: metrics, service: 'users' });
    registry.say([await instance('1'), await instance('2')]);
    const text = await metrics.metrics();
    expect(text).toContain('discovered_instances{dependency="orders"} 2\n');
    expect(text).toContain('discovered_instances{dependency="users"} 0\n');
  });
});
