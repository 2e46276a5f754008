import { randomBytes } from 'node:crypto';
import { credentials, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { productService } from '../../services/product-service/src/grpc.ts';
import { type Jaeger, type Span, startJaeger } from '../support/jaeger.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { gatewayEnv } from '../support/shop.ts';

let jaeger: Jaeger;
let postgres: Postgres;
let database: PostgresDatabase;

beforeAll(async () => {
  [jaeger, postgres] = await Promise.all([startJaeger(), startPostgres()]);
  database = await postgres.createDatabase('product');
});
afterAll(async () => {
  await Promise.all([jaeger?.stop(), postgres?.stop()]);
});

function productWith(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  return startService('product-service', {
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_USER: database.user,
    DB_PASSWORD: database.password,
    DB_NAME: database.database,
    OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpEndpoint,
    OTEL_EXPORTER_JAEGER_ENDPOINT: jaeger.thriftEndpoint,
    ...env,
  });
}

/** A caller's own span, of which everything that a service does for it becomes a descendant. */
function callersSpan() {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-01` } };
}

function only(spans: readonly Span[], service: string, name: string): Span {
  const matching = spans.filter((span) => span.service === service && span.name === name);
  expect(matching, `${service}: ${name} among ${JSON.stringify(spans)}`).toHaveLength(1);
  return matching[0] as Span;
}

describe.each(['otlp', 'jaeger'])('spans sent by the exporter %s', (exporter) => {
  it('are found in Jaeger, those of the last moment too, under the trace of the caller', async () => {
    const service = await productWith({ OTEL_TRACES_EXPORTER: exporter, SERVICE_VERSION: '1.2.3' });
    const caller = callersSpan();
    expect((await fetch(`${service.url}/products/1`, { headers: caller.headers })).status).toBe(200);
    expect(await service.stop()).toEqual({ code: 0, signal: null });

    const span = only(await jaeger.spansOf(caller.traceId, 1), 'product-service', 'GET /products/:id');
    expect(span.parentId).toBe(caller.spanId);
    expect(span.tags).toMatchObject({
      'span.kind': 'server',
      'http.request.method': 'GET',
      'http.route': '/products/:id',
      'http.response.status_code': 200,
      'url.path': '/products/1',
    });
    const line = service.log.find(({ msg }) => msg === 'request');
    expect(line).toMatchObject({ trace_id: caller.traceId, span_id: span.spanId, status: 200 });
  });
});

describe('a trace', () => {
  let products: ServiceProcess;
  let gateway: ServiceProcess;

  beforeAll(async () => {
    products = await productWith({ OTEL_TRACES_EXPORTER: 'otlp' });
    gateway = await startService('api-gateway', {
      ...gatewayEnv({ 'product-service': products.url }),
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpEndpoint,
    });
  });
  afterAll(async () => {
    await Promise.all([gateway?.stop(), products?.stop()]);
  });

  const body = JSON.stringify({ name: 'Bowl', price: 3 });
  it.each([
    ['GET', '/products/2', undefined, 'GET /products/*', 'GET /products/:id'],
    ['POST', '/products', body, 'POST /products', 'POST /products'],
  ])('of %s %s goes through the gateway and its call into the product service', async (...example) => {
    const [method, path, body, gatewayName, productName] = example;
    const caller = callersSpan();
    const headers = { ...caller.headers, 'content-type': 'application/json' };
    await fetch(`${gateway.url}${path}`, { method, headers, ...(body ? { body } : {}) });

    const spans = await jaeger.spansOf(caller.traceId, 3);
    const entry = only(spans, 'api-gateway', gatewayName);
    const call = only(spans, 'api-gateway', method);
    const work = only(spans, 'product-service', productName);
    expect([entry.parentId, call.parentId, work.parentId]).toEqual([caller.spanId, entry.spanId, call.spanId]);
    expect(call.tags).toMatchObject({ 'span.kind': 'client', 'server.address': '127.0.0.1' });
  });

  it('of a gRPC call continues the one in its metadata', async () => {
    const caller = callersSpan();
    const metadata = new Metadata();
    metadata.set('traceparent', caller.headers.traceparent);
    const Client = makeGenericClientConstructor(productService(), 'product.ProductService');
    const client = new Client(products.grpcAddress, credentials.createInsecure());
    await new Promise((resolve) => client.GetProduct?.({ id: 99 }, metadata, resolve));
    client.close();

    const span = only(await jaeger.spansOf(caller.traceId, 1), 'product-service', 'product.ProductService/GetProduct');
    expect(span.parentId).toBe(caller.spanId);
    expect(span.tags).toMatchObject({ 'span.kind': 'server', 'rpc.response.status_code': 'NOT_FOUND' });
    expect(span.tags).not.toHaveProperty('error');
  });

  it('says that it failed where it failed, each attempt of a call for itself', async () => {
    const caller = callersSpan();
    expect((await fetch(`${gateway.url}/orders`, { headers: caller.headers })).status).toBe(502);
    const spans = await jaeger.spansOf(caller.traceId, 3);
    expect(only(spans, 'api-gateway', 'GET /orders').tags.error).toBe(true);
    const attempts = spans.filter(({ name }) => name === 'GET');
    expect(attempts.map(({ tags }) => tags.error)).toEqual([true, true]);
    expect(attempts.map(({ tags }) => tags['http.request.resend_count'] ?? 0)).toEqual(expect.arrayContaining([0, 1]));
  });

  it('is not made of probes and scrapes', async () => {
    const callers = ['/healthz', '/readyz', '/metrics'].map((path) => ({ path, ...callersSpan() }));
    for (const { path, headers } of callers) await fetch(`${products.url}${path}`, { headers });
    const last = callersSpan(); // once this one has arrived, the earlier ones would have, too
    await fetch(`${products.url}/products/1`, { headers: last.headers });
    await jaeger.spansOf(last.traceId, 1);
    for (const { traceId } of callers) expect(await jaeger.spansOf(traceId, 0)).toEqual([]);
  });
});
