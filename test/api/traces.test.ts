import { afterEach, expect, test } from 'vitest';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { freePort } from '../support/daemon.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { startJaeger } from '../support/jaeger.ts';
import { paths } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

const service = 'microservice-platform-operator';
let operator: OperatorProcess | undefined;

startApiServer();
afterEach(async () => {
  await operator?.stop();
});

const start = async (endpoint: string) => {
  operator = await OperatorProcess.start(plane.kubeconfig, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  return operator;
};
const make = () => api.post(paths.microservices(orders.namespace), microservice(orders));
const children = async () => {
  const { status } = await api.get(`${paths.microservices(orders.namespace)}/orders`);
  expect(status.children).toHaveLength(4);
};

test('a pass over a Microservice is a trace, and each of its requests a span of it', async () => {
  const jaeger = await startJaeger();
  try {
    await start(jaeger.otlpEndpoint);
    await make();
    await eventually(children);
    const spans = await eventually(async () => {
      const found = await jaeger.spansBy(service);
      expect(found.filter(({ name }) => name === 'patch Microservice').length).toBeGreaterThan(0);
      return found;
    });
    const pass = spans.find(({ name, tags }) => name === 'reconcile' && tags['microservice.name'] === 'orders');
    const requests = spans.filter(({ name }) => name.startsWith('create '));

    expect(pass?.tags).toMatchObject({ 'k8s.namespace.name': orders.namespace });
    expect(requests.map(({ name }) => name).sort()).toEqual(
      ['Deployment', 'PodDisruptionBudget', 'Service', 'ServiceAccount'].map((kind) => `create ${kind}`),
    );
    for (const { tags, parentId } of requests) {
      expect(tags).toMatchObject({ 'http.response.status_code': 201, 'span.kind': 'client' });
      expect(spans.find(({ spanId }) => spanId === parentId)?.name).toBe('reconcile');
    }
  } finally {
    await jaeger.stop();
  }
}, 60_000);

test('a collector that is not there costs nothing but the spans, which are counted', async () => {
  const untraced = await start(`http://127.0.0.1:${await freePort()}`);
  await make();
  await eventually(children);
  await eventually(async () => {
    const { text } = await untraced.ask('/metrics');
    const lost = Number(/^microservice_platform_spans_lost_total (\d+)$/m.exec(text)?.[1]);
    expect(lost).toBeGreaterThan(0);
  });

  expect(await untraced.stop()).toBe(0);
}, 60_000);
