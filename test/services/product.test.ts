import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { productService } from '../../services/product-service/src/grpc.ts';
import { eventually } from '../support/eventually.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let postgres: Postgres;
let database: PostgresDatabase;
let service: ServiceProcess;

beforeAll(async () => {
  postgres = await startPostgres();
  database = await postgres.createDatabase('product');
  // Two replicas start at once on an empty database; the second one is not used any further.
  const [first, second] = await Promise.all([1, 2].map(() => startService('product-service', environment())));
  service = first as ServiceProcess;
  expect(await second?.stop()).toEqual({ code: 0, signal: null });
});
afterAll(async () => {
  await service?.stop();
  await postgres?.stop();
});

function environment() {
  return {
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_USER: database.user,
    DB_PASSWORD: database.password,
    DB_NAME: database.database,
  };
}

async function ask(path: string, init?: RequestInit) {
  const answer = await fetch(`${service.url}${path}`, init);
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, headers: answer.headers, body };
}

const send = (method: string, path: string, body: unknown) =>
  ask(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

const post = (body: unknown) => send('POST', '/products', body);

/** Runs `work` with an own connection to the service's database; whatever it locks is free afterwards. */
async function besideTheService<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Waits until that many statements of the service wait for a lock; half of their own deadline is time enough. */
async function waitForStuck(count: number): Promise<void> {
  const text = "SELECT FROM pg_stat_activity WHERE usename = current_user AND wait_event_type = 'Lock'";
  await besideTheService((client) =>
    eventually(async () => expect((await client.query(text)).rowCount).toBe(count), { withinMs: 2_000 }),
  );
}

describe('products over REST', () => {
  it('are there from the start, with fixed ids, names and prices', async () => {
    const { status, body } = await ask('/products');
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        { id: 1, name: 'Teapot', price: 24.9 },
        { id: 2, name: 'Mug', price: 7.5 },
        { id: 3, name: 'Kettle', price: 39 },
        { id: 4, name: 'Tea strainer', price: 4.25 },
        { id: 5, name: 'Green tea, 100 g', price: 11.8 },
      ],
      next: null,
    });
  });

  it('come in pages by id, each of which says where the next begins', async () => {
    const pages: unknown[] = [];
    for (let after: unknown = 0; after !== null; ) {
      const { body } = await ask(`/products?limit=2&after=${Number(after)}`);
      pages.push((body.items as { id: number }[]).map(({ id }) => id));
      after = body.next;
    }
    expect(pages).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('are found by id', async () => {
    expect(await ask('/products/2')).toMatchObject({ status: 200, body: { id: 2, name: 'Mug', price: 7.5 } });
  });

  it.each(['0', '-1', '77', '2147483648', '99999999999999999999'])('are not found by the id %s', async (id) => {
    const { status, body } = await ask(`/products/${id}`);
    expect([status, body.code]).toEqual([404, 'not_found']);
  });

  it.each(['abc', '1.5', '1e3'])('are not asked for by the id %s: it is not an integer', async (id) => {
    expect(await ask(`/products/${id}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', detail: 'id is not an integer' },
    });
  });

  it('are added, once they are valid', async () => {
    const { status, headers, body } = await post({ name: ' Bowl ', price: 1234567.89 });
    expect([status, body]).toEqual([201, { id: expect.any(Number), name: 'Bowl', price: 1234567.89 }]);
    expect(headers.get('location')).toBe(`/products/${Number(body.id)}`);
    expect((await ask(`/products/${Number(body.id)}`)).body).toEqual(body);
    expect(body.id).toBeGreaterThan(5);

    expect(await post({ name: '', price: 1 })).toMatchObject({
      status: 400,
      body: { detail: 'name is required', errors: [{ field: 'name', message: 'name is required' }] },
    });
  });

  it('refuse other methods and say which are possible', async () => {
    const { status, headers, body } = await ask('/products/1', { method: 'PATCH' });
    expect([status, headers.get('allow'), body.code]).toEqual([405, 'DELETE, GET, HEAD, PUT', 'method_not_allowed']);
  });

  it('are replaced whole, or not at all', async () => {
    const { id } = (await post({ name: 'Cup', price: 3 })).body;
    const path = `/products/${Number(id)}`;
    const replaced = { id, name: 'Big cup', price: 0 };
    expect(await send('PUT', path, { name: ' Big cup', price: 0 })).toMatchObject({ status: 200, body: replaced });
    expect((await ask(path)).body).toEqual(replaced);

    expect(await send('PUT', path, { name: 'Huge cup', price: -1 })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ field: 'price', message: 'price is negative' }] },
    });
    expect((await ask(path)).body).toEqual(replaced);
  });

  it('are removed once; their id does not come back', async () => {
    const { id } = (await post({ name: 'Saucer', price: 2 })).body;
    const path = `/products/${Number(id)}`;
    const answer = await fetch(`${service.url}${path}`, { method: 'DELETE' });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    const gone = { status: 404, body: { code: 'not_found' } };
    expect(await ask(path)).toMatchObject(gone);
    expect(await ask(path, { method: 'DELETE' })).toMatchObject(gone);
    expect(await send('PUT', path, { name: 'Saucer', price: 2 })).toMatchObject(gone);
    expect((await post({ name: 'Saucer', price: 2 })).body.id).toBeGreaterThan(Number(id));
  });

  it.each(['0', '-1', '2147483648', 'abc'])('are neither replaced nor removed by the id %s', async (id) => {
    const expected = id === 'abc' ? [400, 'invalid_request'] : [404, 'not_found'];
    const put = await send('PUT', `/products/${id}`, { name: 'a', price: 1 });
    expect([put.status, put.body.code]).toEqual(expected);
    const removed = await ask(`/products/${id}`, { method: 'DELETE' });
    expect([removed.status, removed.body.code]).toEqual(expected);
  });

  it('end a query as soon as the caller has left', async () => {
    await besideTheService(async (holder) => {
      await holder.query('BEGIN; LOCK TABLE products');
      const caller = new AbortController();
      const { signal } = caller;
      const put = { method: 'PUT', body: '{"name":"a","price":1}', headers: { 'content-type': 'application/json' } };
      const calls = [{}, put, { method: 'DELETE' }].map((init) =>
        fetch(`${service.url}/products/1`, { ...init, signal }),
      );
      const left = Promise.allSettled(calls);
      await waitForStuck(3);
      caller.abort();
      await left;
      await waitForStuck(0);
    });
    expect((await ask('/products/1')).body).toEqual({ id: 1, name: 'Teapot', price: 24.9 });
  });
});

type Answer = { readonly error?: ServiceError; readonly product?: unknown };

const Client = makeGenericClientConstructor(productService(), 'product.ProductService');

function getProduct(
  id: number,
  { deadlineMs = 3_000, metadata = new Metadata(), address = service.grpcAddress } = {},
): Promise<Answer> {
  const client = new Client(address, credentials.createInsecure());
  return new Promise<Answer>((resolve) => {
    client.GetProduct?.(
      sent({ id }),
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error: ServiceError | null, product: unknown) => resolve(error === null ? { product } : { error }),
    );
  }).finally(() => client.close());
}

/** As other languages send it: a field that is 0 is left out. */
const sent = (request: Record<string, number>) =>
  Object.fromEntries(Object.entries(request).filter(([, value]) => value !== 0));

const codeIn = (error: ServiceError | undefined) => error?.metadata.get('problem-code');

describe('products over gRPC', () => {
  it('are found by id', async () => {
    expect(await getProduct(1)).toEqual({ product: { id: 1, name: 'Teapot', price: 24.9 } });
  });

  it('are NOT_FOUND when there is none', async () => {
    const { error } = await getProduct(4711);
    expect([error?.code, error?.details]).toEqual([status.NOT_FOUND, 'there is no product 4711']);
    expect(codeIn(error)).toEqual(['not_found']);
  });

  it('may cost nothing, and be asked for by the id 0', async () => {
    const { id } = (await post({ name: 'Sample', price: 0 })).body;
    expect(await getProduct(Number(id))).toEqual({ product: { id, name: 'Sample', price: 0 } });
    expect((await getProduct(0)).error?.details).toBe('there is no product 0');
  });

  it('end with DEADLINE_EXCEEDED when the caller cannot wait any longer', async () => {
    await besideTheService(async (holder) => {
      await holder.query('BEGIN; LOCK TABLE products');
      const started = performance.now();
      const { error } = await getProduct(1, { deadlineMs: 300 });
      expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
      expect(performance.now() - started).toBeLessThan(1_500);
      await waitForStuck(0);
    });
  });
});

describe('a stream of all products', () => {
  type Item = { readonly id: number; readonly name: string };
  const bulk = 5_000; // a megabyte: many times what client, server and the connection between them take in advance

  beforeAll(async () => {
    const text =
      "INSERT INTO products (name, price) SELECT rpad('Bulk ' || n, 200, '.'), 1 FROM generate_series(1, $1) n";
    await besideTheService((client) => client.query(text, [bulk]));
  });
  afterAll(async () => {
    await besideTheService((client) => client.query("DELETE FROM products WHERE name LIKE 'Bulk %'"));
  });

  const allIds = async () => {
    const { rows } = await besideTheService((client) => client.query<Item>('SELECT id FROM products ORDER BY id'));
    return rows.map(({ id }) => id);
  };
  const linesOf = (state: string) =>
    service.log.filter((line) => line.method === 'product.ProductService/ListProducts' && line.status === state).length;

  function listProducts(pageSize: number, { deadlineMs = 20_000, address = service.grpcAddress } = {}) {
    const client = new Client(address, credentials.createInsecure());
    const stream = client.ListProducts?.(sent({ pageSize }), { deadline: Date.now() + deadlineMs }) as
      | ClientReadableStream<Item>
      | undefined;
    if (stream === undefined) throw new Error('the contract has no ListProducts');
    stream.once('close', () => client.close());
    return stream;
  }

  /** A caller that has taken one product and takes no more. */
  async function stalled(stream: ClientReadableStream<Item>): Promise<void> {
    await once(stream, 'data');
    stream.pause();
  }

  const failure = async (stream: ClientReadableStream<Item>) => {
    const [error] = (await once(stream.resume(), 'error')) as [ServiceError];
    return error;
  };

  it.each([0, 33, 100])('holds each once, by ascending id, when read %d at a time', async (pageSize) => {
    const found = await listProducts(pageSize).toArray();
    expect(found.map(({ id }) => id)).toEqual(await allIds());
    expect(found[0]).toEqual({ id: 1, name: 'Teapot', price: 24.9 });
  });

  it.each([-1, 101])('is not read %d at a time', async (pageSize) => {
    const error = await failure(listProducts(pageSize));
    expect([error.code, error.details]).toEqual([
      status.INVALID_ARGUMENT,
      'page_size is not a whole number from 0 to 100',
    ]);
    expect(codeIn(error)).toEqual(['invalid_request']);
  });

  it('is read no faster than the caller takes it: what changes meanwhile comes changed', async () => {
    const last = (await allIds()).at(-1);
    const stream = listProducts(100);
    await stalled(stream);
    await sleep(500); // time enough to read everything, if it were
    await send('PUT', `/products/${Number(last)}`, { name: 'Bulk and last', price: 2 });
    const rest: Item[] = await stream.toArray();
    expect(rest.at(-1)).toEqual({ id: last, name: 'Bulk and last', price: 2 });
  });

  it('ends at the server, too, when the caller cancels while it does not read', async () => {
    const before = linesOf('CANCELLED');
    const streams = Array.from({ length: 20 }, () => listProducts(100)); // twice as many as there are connections
    await Promise.all(streams.map(stalled));
    expect((await ask('/products/1')).status).toBe(200); // none of them holds a connection to the database
    const errors = streams.map(failure);
    for (const stream of streams) stream.cancel();
    for (const error of await Promise.all(errors)) expect(error.code).toBe(status.CANCELLED);
    await eventually(() => expect(linesOf('CANCELLED') - before).toBe(20), { withinMs: 2_000 });
    expect(service.log.filter(({ msg }) => msg === 'call failed')).toEqual([]);
  });

  it('ends at the server within ten seconds when the caller has vanished without a word', async () => {
    const [host = '', port] = service.grpcAddress.split(':');
    const proxy = await startTcpProxy({ host, port: Number(port) });
    const stream = listProducts(100, { address: `127.0.0.1:${proxy.port}` });
    await stalled(stream);
    const broken = once(stream, 'error');
    const before = linesOf('CANCELLED');
    proxy.swallowAnswers();
    await eventually(() => expect(linesOf('CANCELLED') - before).toBe(1), { withinMs: 10_000 });
    await Promise.all([broken, proxy.stop()]);
  });

  it('ends its query when the caller cancels, or its deadline passes, while it runs', async () => {
    await besideTheService(async (holder) => {
      await holder.query('BEGIN; LOCK TABLE products');
      const cancelled = listProducts(100);
      const errors = [cancelled, listProducts(100, { deadlineMs: 500 })].map(failure);
      await waitForStuck(2);
      cancelled.cancel();
      const codes = (await Promise.all(errors)).map(({ code }) => code);
      expect(codes).toEqual([status.CANCELLED, status.DEADLINE_EXCEEDED]);
      await waitForStuck(0);
    });
  });

  it('that is not taken does not keep a stopping service, and neither does a watcher of its health', async () => {
    const stopping = await startService('product-service', { ...environment(), SHUTDOWN_DRAIN_MS: '2500' });
    const address = stopping.grpcAddress;
    const stream = listProducts(100, { address });
    await stalled(stream);
    const health = new Health(address, credentials.createInsecure());
    const told: unknown[] = [];
    const watch = health.watch?.({ service: '' }) as ClientReadableStream<{ status: string }>;
    watch.on('data', (answer: { status: string }) => told.push(answer.status)).on('error', () => undefined);
    await eventually(() => expect(told).toEqual(['SERVING']));

    const ended = stopping.stop();
    const cut = once(stream, 'error') as Promise<[ServiceError]>;
    await eventually(() => expect(told).toEqual(['SERVING', 'NOT_SERVING']), { withinMs: 2_000 });
    expect((await getProduct(1, { address })).product).toMatchObject({ name: 'Teapot' });
    expect(await ended).toEqual({ code: 0, signal: null });
    stream.resume();
    expect((await cut)[0].code).toBe(status.CANCELLED);
    health.close();
  });
});

const Health = makeGenericClientConstructor(healthService as ServiceDefinition, 'grpc.health.v1.Health');

function health(name: string): Promise<unknown> {
  const client = new Health(service.grpcAddress, credentials.createInsecure());
  return new Promise((resolve) => {
    client.check?.({ service: name }, (error: ServiceError | null, answer?: { status: string }) =>
      resolve(error === null ? answer?.status : status[error.code]),
    );
  }).finally(() => client.close());
}

describe('the gRPC server of the product service', () => {
  it('says that it and its service are healthy, and knows no other', async () => {
    expect(await health('')).toBe('SERVING');
    expect(await health('product.ProductService')).toBe('SERVING');
    expect(await health('product.v0.ProductService')).toBe('NOT_FOUND');
  });

  it.each(['v1', 'v1alpha'])('tells by reflection (%s) all that is needed to call it', async (version) => {
    const answers = await reflection(version, [
      { listServices: '*' },
      { fileContainingSymbol: 'product.ProductService' },
      { fileContainingSymbol: 'grpc.health.v1.Health' },
      { fileContainingSymbol: 'product.Nothing' },
    ]);
    const [services, products, healths, nothing] = answers;
    expect(services?.listServicesResponse.service).toEqual([
      { name: 'product.ProductService' },
      { name: 'grpc.health.v1.Health' },
    ]);
    expect(contractIn(healths)['grpc.health.v1.Health']).toHaveProperty('Check');
    expect(nothing?.errorResponse.errorCode).toBe(status.NOT_FOUND);

    const contract = contractIn(products)['product.ProductService'] as ServiceDefinition;
    const Reflected = makeGenericClientConstructor(contract, 'product.ProductService');
    const client = new Reflected(service.grpcAddress, credentials.createInsecure());
    const stream = client.ListProducts?.({ pageSize: 2 }) as ClientReadableStream<unknown>;
    expect((await stream.toArray())[0]).toEqual({ id: 1, name: 'Teapot', price: 24.9 });
    client.close();
  });

  interface Reflected {
    readonly listServicesResponse: { readonly service: readonly unknown[] };
    readonly fileDescriptorResponse: { readonly fileDescriptorProto: readonly Buffer[] };
    readonly errorResponse: { readonly errorCode: number };
  }

  async function reflection(version: string, questions: readonly object[]): Promise<readonly Reflected[]> {
    const name = `grpc.reflection.${version}.ServerReflection`;
    const folder = new URL('../../node_modules/@grpc/reflection/build/proto/', import.meta.url);
    const file = fileURLToPath(new URL(`grpc/reflection/${version}/reflection.proto`, folder));
    const Reflection = makeGenericClientConstructor(loadSync(file)[name] as ServiceDefinition, name);
    const client = new Reflection(service.grpcAddress, credentials.createInsecure());
    const stream = client.ServerReflectionInfo?.() as ClientDuplexStream<object, Reflected>;
    for (const question of questions) stream.write(question);
    stream.end();
    return stream.toArray().finally(() => client.close());
  }

  /** What the files in an answer define. A FileDescriptorSet is its files one after another, as field 1. */
  function contractIn(answer: Reflected | undefined) {
    const files = answer?.fileDescriptorResponse.fileDescriptorProto ?? [];
    const set = files.flatMap((file) => {
      expect(file.length).toBeLessThan(1 << 14); // then its length is a varint of two bytes
      return [Buffer.from([(1 << 3) | 2, (file.length & 0x7f) | 0x80, file.length >> 7]), file];
    });
    return loadFileDescriptorSetFromBuffer(Buffer.concat(set));
  }
});

describe('a product service without its database', () => {
  it('is alive but not ready, answers 503 and UNAVAILABLE, and recovers by itself', async () => {
    await postgres.halt();
    try {
      expect((await ask('/healthz')).status).toBe(200);
      const ready = await ask('/readyz');
      expect([ready.status, ready.body.status]).toEqual([503, 'unhealthy']);
      expect(ready.body.reason).toMatch(/^database: /);
      const answer = await ask('/products/1');
      expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
      expect(JSON.stringify(answer.body)).not.toMatch(/127\.0\.0\.1|ECONN/);
      const { error } = await getProduct(1);
      expect([error?.code, codeIn(error)]).toEqual([status.UNAVAILABLE, ['unavailable']]);
      expect(error?.details).not.toMatch(/127\.0\.0\.1|ECONN/);
      await eventually(async () => expect(await health('product.ProductService')).toBe('NOT_SERVING'));
    } finally {
      await postgres.resume();
    }
    expect((await ask('/readyz')).status).toBe(200);
    expect((await ask('/products/1')).status).toBe(200);
    await eventually(async () => expect(await health('product.ProductService')).toBe('SERVING'));
  });
});
