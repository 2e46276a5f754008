import { credentials, Metadata, makeGenericClientConstructor, type ServiceError, status } from '@grpc/grpc-js';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { productService } from '../../services/product-service/src/grpc.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';

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

const post = (body: unknown) =>
  ask('/products', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

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
    const { status, headers, body } = await ask('/products/1', { method: 'DELETE' });
    expect([status, headers.get('allow'), body.code]).toEqual([405, 'GET, HEAD', 'method_not_allowed']);
  });
});

describe('products over gRPC', () => {
  type Answer = { readonly error?: ServiceError; readonly product?: unknown };

  function getProduct(id: number, { deadlineMs = 3_000, metadata = new Metadata() } = {}): Promise<Answer> {
    const Client = makeGenericClientConstructor(productService(), 'product.ProductService');
    const client = new Client(service.grpcAddress, credentials.createInsecure());
    return new Promise<Answer>((resolve) => {
      client.GetProduct?.(
        { id },
        metadata,
        { deadline: Date.now() + deadlineMs },
        (error: ServiceError | null, product: unknown) => resolve(error === null ? { product } : { error }),
      );
    }).finally(() => client.close());
  }

  it('are found by id', async () => {
    expect(await getProduct(1)).toEqual({ product: { id: 1, name: 'Teapot', price: 24.9 } });
  });

  it('are NOT_FOUND when there is none', async () => {
    const { error } = await getProduct(4711);
    expect([error?.code, error?.details]).toEqual([status.NOT_FOUND, 'there is no product 4711']);
  });

  it('end with DEADLINE_EXCEEDED when the caller cannot wait any longer', async () => {
    const holder = new pg.Client(database);
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE products');
    const started = performance.now();
    const { error } = await getProduct(1, { deadlineMs: 300 });
    await holder.end();
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(performance.now() - started).toBeLessThan(1_500);
  });
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
    } finally {
      await postgres.resume();
    }
    expect((await ask('/readyz')).status).toBe(200);
    expect((await ask('/products/1')).status).toBe(200);
  });
});
