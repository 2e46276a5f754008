import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { productService } from '../../services/product-service/src/grpc.ts';
import { eventually } from '../support/eventually.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { runService, type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, databaseEnv, metric, routesEnv } from '../support/shop.ts';

const contract = 'product-service/proto/product.proto';
const method = 'product.ProductService/GetProduct';
const details = {
  path: '/products/:id/details',
  methods: ['GET'],
  versions: [2],
  grpc: { backend: 'products', method, request: { id: '{id}' } },
};

let postgres: Postgres;
let product: ServiceProcess;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  product = await startService('product-service', databaseEnv(await postgres.createDatabase('product')));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(async () => {
  await product?.stop();
  await postgres?.stop();
});

async function gatewayTo(address: string, route: object = details, limits: object = {}) {
  const gateway = await startService(
    'api-gateway',
    routesEnv({ backends: {}, grpcBackends: { products: { address, contract, ...limits } }, routes: [route] }),
  );
  closers.push(() => gateway.stop());
  return gateway;
}

type Get = ServerUnaryCall<{ readonly id: number }, object>;

/** A server of the same contract that answers as the test says, and keeps what it was asked. */
async function backend(answer: (call: Get, nth: number) => object | Partial<ServiceError> | undefined) {
  const server = new Server();
  const calls: Get[] = [];
  server.addService(productService(), {
    GetProduct: (call: Get, callback: sendUnaryData<object>) => {
      calls.push(call);
      const said = answer(call, calls.length);
      if (said !== undefined && 'code' in said) callback(said as ServiceError);
      else if (said !== undefined) callback(null, said);
    },
    ListProducts: () => undefined,
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  closers.push(() => server.forceShutdown());
  return { address: `127.0.0.1:${port}`, calls };
}

const problem = (code: string) => {
  const metadata = new Metadata();
  metadata.set('problem-code', code);
  return metadata;
};

describe('a route to a gRPC method', () => {
  it('answers with the message as JSON, at each of its versions', async () => {
    const gateway = await gatewayTo(product.grpcAddress);
    for (const path of ['/products/1/details', '/v2/products/1/details']) {
      const { status: answered, headers, body } = await ask(`${gateway.url}${path}`);
      expect([answered, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
      expect(body).toEqual({ id: 1, name: 'Teapot', price: 24.9 });
    }
  });

  it('answers as the backend says that there is none, and refuses what is no id without asking it', async () => {
    const gateway = await gatewayTo(product.grpcAddress);
    const none = await ask(`${gateway.url}/products/4242/details`);
    expect([none.status, none.body.code]).toEqual([404, 'not_found']);
    const calls = () => metric(gateway.url, 'upstream_requests_total{dependency="products",outcome="answered"}');
    const before = await calls();
    for (const id of ['abc', '2147483648', '1.5', '%20']) {
      const { status: answered, body } = await ask(`${gateway.url}/products/${id}/details`);
      expect([answered, body.code, body.errors?.[0].field]).toEqual([400, 'invalid_request', 'id']);
    }
    expect(await calls()).toBe(before);
  });

  it.each([
    [
      { code: status.FAILED_PRECONDITION, metadata: problem('out_of_stock'), details: 'two are left' },
      409,
      'out_of_stock',
      'two are left',
    ],
    [{ code: status.INVALID_ARGUMENT, details: 'no' }, 400, 'invalid_request', 'no'],
    [
      { code: status.INTERNAL, metadata: problem('internal'), details: 'secret of the inside' },
      502,
      'upstream_error',
      'products failed',
    ],
    [
      { code: status.UNAVAILABLE, details: 'secret of the inside' },
      503,
      'unavailable',
      'products cannot be reached; try again in a moment',
    ],
  ])('answers with the code of the error %o: %i %s', async (error, answered, code, detail) => {
    const { address } = await backend(() => error);
    const gateway = await gatewayTo(address);
    const got = await ask(`${gateway.url}/products/1/details`);
    expect([got.status, got.body.code, got.body.detail]).toEqual([answered, code, detail]);
  });

  it('carries the deadline, the trace and the id of the request', async () => {
    const { address, calls } = await backend(({ request }) => ({ ...request, name: 'x', price: 1 }));
    const gateway = await gatewayTo(address, details, { timeoutMs: 2_000 });
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const asked = Date.now();
    await ask(`${gateway.url}/products/7/details`, undefined, {
      'x-request-id': 'request-7',
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    });
    expect(calls[0]?.request).toEqual({ id: 7 });
    expect(calls[0]?.metadata.get('x-request-id')).toEqual(['request-7']);
    expect(String(calls[0]?.metadata.get('traceparent'))).toContain(trace);
    const deadline = Number(calls[0]?.getDeadline());
    expect(deadline - asked).toBeGreaterThan(500);
    expect(deadline - asked).toBeLessThan(2_500);
  });

  it('is late with a backend that hangs, which is told', async () => {
    const { address, calls } = await backend(() => undefined);
    const gateway = await gatewayTo(address, details, { timeoutMs: 300 });
    const { status: answered, body } = await ask(`${gateway.url}/products/1/details`);
    expect([answered, body.code]).toEqual([504, 'upstream_timeout']);
    await eventually(() => expect(calls[0]?.cancelled).toBe(true));
  });

  it('asks again by GET, once, and not by POST', async () => {
    const { address, calls } = await backend((call, nth) =>
      nth === 1 ? { code: status.UNAVAILABLE } : { ...call.request, name: 'x', price: 1 },
    );
    const gateway = await gatewayTo(address);
    expect((await ask(`${gateway.url}/products/1/details`)).status).toBe(200);
    expect(calls.length).toBe(2);
    const other = await backend(() => ({ code: status.UNAVAILABLE }));
    const posting = { path: '/lookup', methods: ['POST'], grpc: { backend: 'products', method } };
    const poster = await gatewayTo(other.address, posting);
    expect((await ask(`${poster.url}/lookup`, { id: 1 })).status).toBe(503);
    expect(other.calls.length).toBe(1);
  });

  it('asks no more once the breaker is open', async () => {
    const { address, calls } = await backend(() => ({ code: status.INTERNAL }));
    const gateway = await gatewayTo(address);
    for (let nth = 0; nth < 30; nth++) await ask(`${gateway.url}/products/1/details`);
    const asked = calls.length;
    expect((await ask(`${gateway.url}/products/1/details`)).status).toBe(503);
    expect(calls.length).toBe(asked);
  });

  it('takes the other fields from the body, and says what is wrong with them', async () => {
    const route = { path: '/lookup', methods: ['POST'], grpc: { backend: 'products', method } };
    const gateway = await gatewayTo(product.grpcAddress, route);
    expect((await ask(`${gateway.url}/lookup`, { id: 2 })).body).toMatchObject({ id: 2 });
    const { status: answered, body } = await ask(`${gateway.url}/lookup`, { id: 'two', colour: 'red' });
    expect(answered).toBe(400);
    expect(body.errors.map(({ field }: { field: string }) => field)).toEqual(['colour', 'id']);
  });

  it('is refused in a route file where the contract has no such method or field', async () => {
    const routes = [
      { ...details, path: '/a', grpc: { backend: 'products', method: 'product.ProductService/Nope' } },
      { ...details, path: '/b', grpc: { backend: 'products', method, request: { colour: '{id}' } } },
      { ...details, path: '/c', grpc: { backend: 'nobody', method } },
      { ...details, path: '/d', grpc: { backend: 'products', method: 'product.ProductService/ListProducts' } },
      { ...details, path: '/e', grpc: { backend: 'products', method, request: { id: 'seven' } } },
    ];
    const grpcBackends = { products: { address: '127.0.0.1:1', contract } };
    const { ended, log } = runService('api-gateway', routesEnv({ backends: {}, grpcBackends, routes }));
    expect((await ended).code).not.toBe(0);
    const said = JSON.stringify(log);
    expect(said).toContain('routes[0] leads to product.ProductService/Nope');
    expect(said).toContain('routes[1] gives product.ProductService/GetProduct colour, which its request does not have');
    expect(said).toContain('routes[2] leads to nobody');
    expect(said).toContain('routes[3] leads to product.ProductService/ListProducts');
    expect(said).toContain('routes[4] gives product.ProductService/GetProduct id, which is not a whole number');
  });
});
