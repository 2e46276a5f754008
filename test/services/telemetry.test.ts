import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Jaeger, type Span, startJaeger } from '../support/jaeger.ts';
import { publishEvents } from '../support/order-events.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, gatewayEnv, metric } from '../support/shop.ts';
import { startWholeShop, type WholeShop } from '../support/whole-shop.ts';

const patient = { timeout: 50_000, interval: 200 };

let jaeger: Jaeger;
let shop: WholeShop;
let gateway: ServiceProcess;
let prometheus: Prometheus;

beforeAll(async () => {
  jaeger = await startJaeger();
  const traced = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpEndpoint };
  shop = await startWholeShop({}, traced);
  const urls = Object.fromEntries(Object.entries(shop.services).map(([name, { url }]) => [name, url]));
  gateway = await startService('api-gateway', { ...gatewayEnv(urls), ...traced });
  const targets = everyService().map(({ url }) => url.replace('http://', ''));
  prometheus = await startPrometheus({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [{ job_name: 'microservices', static_configs: [{ targets }] }],
  });
  await fetch(`${urls['inventory-service']}/stock/1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ quantity: 1000 }),
  });
}, 300_000);
afterAll(async () => {
  await Promise.all([gateway?.stop(), prometheus?.stop()]);
  await shop?.stop();
  await jaeger?.stop();
});

function everyService(): readonly ServiceProcess[] {
  return [gateway, ...Object.values(shop.services)];
}

/** Places an order through the gateway in a trace of its own, and waits for its end. */
async function order(quantity = 1) {
  const traceId = randomBytes(16).toString('hex');
  const user = await ask(`${gateway.url}/users`, { name: 'Ada', email: `${traceId}@example.com` });
  const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
  const { status: answered, body } = await ask(
    `${gateway.url}/orders`,
    { product_id: 1, quantity, user_id: user.body.id },
    { traceparent },
  );
  expect(answered, JSON.stringify(body)).toBe(201);
  const status = async () => (await ask(`${gateway.url}/orders/${body.id}`)).body.status as unknown;
  await expect.poll(status, patient).toSatisfy((it) => it === 'completed' || it === 'compensated');
  return { id: String(body.id), traceId, status: await status() };
}

/** `service: name` of a span and of each above it, outermost first. */
function pathTo(span: Span, spans: readonly Span[]): readonly string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentId);
  return [...(parent === undefined ? [] : pathTo(parent, spans)), `${span.service}: ${span.name}`];
}

/** The spans of a trace once its last message was handled by both of its subscribers, and every service has sent its own. */
async function wholeTrace(traceId: string): Promise<readonly Span[]> {
  let spans: readonly Span[] = [];
  const there = async () => {
    spans = await jaeger.spansOf(traceId, 0);
    return {
      handled: spans.filter(({ name }) => name.startsWith('process ')).length,
      services: new Set(spans.map(({ service }) => service)).size,
      roots: rootsOf(spans).length,
    };
  };
  await expect.poll(there, patient).toEqual({ handled: 3, services: everyService().length, roots: 1 });
  return spans;
}

function rootsOf(spans: readonly Span[]): readonly Span[] {
  return spans.filter(({ parentId }) => !spans.some(({ spanId }) => spanId === parentId));
}

describe('one trace', () => {
  it('holds an order from the gateway to the last message, through REST, gRPC, the saga, the outbox and the broker', async () => {
    const { traceId, status } = await order();
    expect(status).toBe('completed');
    const spans = await wholeTrace(traceId);
    const paths = spans.map((span) => pathTo(span, spans).join(' > '));
    const placed = 'api-gateway: POST /orders > api-gateway: POST > order-service: POST /orders';
    const product = 'product.ProductService/GetProduct';
    const expected = [
      `${placed} > order-service: ${product} > product-service: ${product} > product-service: SELECT product`,
      `${placed} > order-service: GET > user-service: GET /users/:id > user-service: SELECT user`,
      `${placed} > order-service: saga > order-service: saga reserve > order-service: PUT > inventory-service: PUT /reservations/:order_id`,
      `${placed} > order-service: saga > order-service: saga charge > order-service: PUT > payment-service: PUT /payments/:order_id`,
      `${placed} > order-service: publish orders.events > notification-service: process orders > notification-service: INSERT notification`,
      `${placed} > order-service: publish orders.events > analytics-service: process analytics`,
      `${placed} > order-service: saga > order-service: publish orders.events > analytics-service: process analytics`,
    ];
    for (const path of expected) expect(paths, paths.join('\n')).toContain(path);
    expect(rootsOf(spans).map(({ service, name }) => `${service}: ${name}`)).toEqual(['api-gateway: POST /orders']);
  });

  it('of the relay is its own, and points at the traces of the messages of its batch', async () => {
    const { traceId } = await order();
    const relays = async () =>
      (await jaeger.spansBy('order-service')).filter(
        (it) => it.name === 'relay outbox' && it.linkedTraces.includes(traceId),
      );
    await expect.poll(async () => (await relays()).length, patient).toBe(2); // OrderCreated and OrderCompleted
    for (const relay of await relays()) expect(relay.parentId).toBeUndefined();
  });

  it('says what the conventions ask of each kind of span, and of statements their text without values', async () => {
    const { id, traceId } = await order();
    const spans = await wholeTrace(traceId);
    const tagsOf = (service: string, name: string) =>
      spans.filter((it) => it.service === service && it.name === name).map(({ tags }) => tags);
    expect(tagsOf('order-service', 'POST /orders')[0]).toMatchObject({
      'span.kind': 'server',
      'http.request.method': 'POST',
      'http.route': '/orders',
      'http.response.status_code': 201,
      'server.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'url.scheme': 'http',
    });
    for (const service of ['order-service', 'product-service'] as const) {
      expect(tagsOf(service, 'product.ProductService/GetProduct')[0]).toMatchObject({
        'rpc.system.name': 'grpc',
        'rpc.method': 'product.ProductService/GetProduct',
        'rpc.response.status_code': 'OK',
      });
    }
    expect(tagsOf('order-service', 'publish orders.events')).toContainEqual(
      expect.objectContaining({
        'span.kind': 'producer',
        'messaging.system': 'rabbitmq',
        'messaging.operation.name': 'publish',
        'messaging.destination.name': 'orders.events:order.created',
      }),
    );
    expect(tagsOf('notification-service', 'process orders')[0]).toMatchObject({
      'span.kind': 'consumer',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders.events:order.created:orders',
    });
    const statement = tagsOf('notification-service', 'INSERT notification').find((tags) =>
      String(tags['db.query.text']).includes('INTO notifications'),
    );
    expect(statement).toMatchObject({
      'span.kind': 'client',
      'db.system.name': 'postgresql',
      'db.namespace': 'notification',
      'db.operation.name': 'INSERT',
      'server.address': expect.any(String),
    });
    const texts = spans.map(({ tags }) => JSON.stringify(tags['db.query.text'] ?? ''));
    expect(texts.some((text) => text.includes('$1'))).toBe(true);
    expect(texts.join()).not.toContain(id);
  });
});

describe('the metrics of the shop', () => {
  it('are taken by a real Prometheus from every service, with traces of Jaeger as exemplars', async () => {
    const { traceId } = await order();
    const up = async () => {
      const { result } = (await prometheus.ask('query', { query: 'up == 1' })) as { result: readonly unknown[] };
      return result.length;
    };
    await expect.poll(up, patient).toBe(everyService().length);
    const exemplars = async (name: string) => {
      const query = `${name}_bucket`;
      const start = String(Date.now() / 1000 - 300);
      const found = (await prometheus.ask('query_exemplars', { query, start, end: String(Date.now() / 1000) })) as {
        readonly exemplars: readonly { readonly labels: { readonly trace_id: string } }[];
      }[];
      return found.flatMap((it) => it.exemplars.map(({ labels }) => labels.trace_id));
    };
    for (const name of [
      'http_request_duration_seconds',
      'outbound_request_duration_seconds',
      'grpc_request_duration_seconds',
    ]) {
      await expect.poll(() => exemplars(name), patient).toContain(traceId);
    }
    expect((await jaeger.spansOf(traceId, 1)).length).toBeGreaterThan(0);
  });

  it('show the pool of the database, the event loop, the broker, and what became of the spans', async () => {
    await order();
    for (const { url } of Object.values(shop.services)) {
      expect(await metric(url, 'db_pool_limit')).toBe(10);
      expect(await metric(url, 'db_pool_waiting')).toBe(0);
      expect(await metric(url, 'db_pool_connections{state="idle"}')).toBeGreaterThanOrEqual(1);
      expect(await metric(url, 'db_pool_connections{state="used"}')).toBeGreaterThanOrEqual(0);
    }
    for (const { url } of everyService()) {
      const busy = await metric(url, 'nodejs_eventloop_utilization');
      expect(busy).toBeGreaterThan(0);
      expect(busy).toBeLessThanOrEqual(1);
      await expect.poll(() => metric(url, 'telemetry_spans_total{outcome="sent"}'), patient).toBeGreaterThan(0);
      expect(await metric(url, 'telemetry_spans_total{outcome="failed"}')).toBe(0);
      expect(await metric(url, 'telemetry_spans_total{outcome="dropped"}')).toBe(0);
    }
    for (const name of ['order-service', 'notification-service', 'analytics-service'] as const) {
      expect(await metric(shop.services[name].url, 'broker_connected')).toBe(1);
    }
    const { url } = shop.services['order-service'];
    expect(await metric(url, 'outbound_request_duration_seconds_count{dependency="payment-service"}')).toBeGreaterThan(
      0,
    );
  });

  it('show the orders that have not ended, and the oldest of them', async () => {
    const { url } = shop.services['order-service'];
    await expect.poll(() => metric(url, 'orders_unfinished'), patient).toBe(0);
    expect(await metric(url, 'orders_oldest_unfinished_seconds')).toBe(0);
    shop.services['payment-service'].child.kill('SIGSTOP');
    try {
      const user = await ask(`${gateway.url}/users`, { name: 'Ada', email: `${crypto.randomUUID()}@example.com` });
      await ask(`${gateway.url}/orders`, { product_id: 1, quantity: 1, user_id: user.body.id });
      await expect.poll(() => metric(url, 'orders_unfinished'), patient).toBe(1);
      await expect.poll(() => metric(url, 'orders_oldest_unfinished_seconds'), patient).toBeGreaterThan(1);
    } finally {
      shop.services['payment-service'].child.kill('SIGCONT');
    }
    await expect.poll(() => metric(url, 'orders_unfinished'), patient).toBe(0);
  });

  it('show what waits in a queue and among its dead letters, how old messages get, and the broker that is gone', async () => {
    const { url } = shop.services['notification-service'];
    const aged = await metric(url, 'message_age_seconds_count{queue="orders"}');
    await order();
    await expect.poll(() => metric(url, 'message_age_seconds_count{queue="orders"}'), patient).toBe((aged ?? 0) + 1);
    const total = (await metric(url, 'message_age_seconds_sum{queue="orders"}')) ?? 0;
    expect(total / ((aged ?? 0) + 1)).toBeGreaterThan(0);
    expect(total / ((aged ?? 0) + 1)).toBeLessThan(5);
    expect(await metric(url, 'queue_messages{queue="orders"}')).toBe(0);
    await publishEvents(shop.broker, [{ body: { nothing: 'useful' }, messageId: 'm-1' }]);
    await expect.poll(() => metric(url, 'dead_letters{queue="orders.dead"}'), patient).toBe(1);

    await shop.broker.halt();
    try {
      await expect.poll(() => metric(url, 'broker_connected'), patient).toBe(0);
      await expect.poll(() => metric(url, 'queue_messages{queue="orders"}'), patient).toBeNaN();
      const started = performance.now();
      expect((await fetch(`${url}/metrics`)).status).toBe(200);
      expect(performance.now() - started).toBeLessThan(2_000);
    } finally {
      await shop.broker.resume();
    }
    await expect.poll(() => metric(url, 'broker_connected'), patient).toBe(1);
    await expect.poll(() => metric(url, 'dead_letters{queue="orders.dead"}'), patient).toBe(1);
  });
});
