import { afterEach, beforeEach, expect, it } from 'vitest';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { freePort } from '../support/daemon.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Exporter, startExporter } from '../support/exporter.ts';
import { paths, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';

const slo = { availability: '99.9', latency: { p95: '250ms' } };

let exporter: Exporter;
let prometheus: Prometheus;
let operator: OperatorProcess | undefined;
let port: number;

startApiServer();
beforeEach(async () => {
  exporter = await startExporter('');
  port = await freePort();
  prometheus = await start();
});
afterEach(async () => {
  await operator?.stop();
  await prometheus.stop();
  await exporter[Symbol.asyncDispose]();
});

/** A Prometheus with a rule of the name that the operator asks for, over figures that the test sets. */
function start(): Promise<Prometheus> {
  const scrape = { job_name: 'figures', honor_labels: true, static_configs: [{ targets: [exporter.address] }] };
  const rule = { record: 'slo:error_budget:remaining_ratio', expr: 'max by (namespace, service, slo) (left)' };
  return startPrometheus(
    { global: { scrape_interval: '1s', evaluation_interval: '1s' }, scrape_configs: [scrape] },
    { 'slo.yaml': { groups: [{ name: 'slo', rules: [rule] }] } },
    port,
  );
}

const setLeft = (figures: Readonly<Record<string, number>>) => {
  const labels = (name: string) => `namespace="${orders.namespace}",service="orders",slo="${name}"`;
  const lines = Object.entries(figures).map(([name, ratio]) => `left{${labels(name)}} ${ratio}\n`);
  exporter.page = lines.join('');
};
const run = async (env: Readonly<Record<string, string>> = {}) => {
  operator = await OperatorProcess.start(plane.kubeconfig, {
    OPERATOR_PROMETHEUS_URL: prometheus.url,
    OPERATOR_BUDGET_SECONDS: '1',
    // The Microservices of the other tests have objectives too.
    OPERATOR_WATCH_NAMESPACES: orders.namespace,
    ...env,
  });
  return operator;
};
const make = (observability: object = { slo }) => {
  const { spec, ...rest } = microservice(orders) as Wire;
  return api.post(paths.microservices(orders.namespace), { ...rest, spec: { ...spec, observability } });
};
const live = (): Promise<Wire> => api.get(`${paths.microservices(orders.namespace)}/orders`);
/** Waits until the status says this of its objectives. */
const says = (expected: object, withinMs = 20_000): Promise<Wire> =>
  eventually(
    async () => {
      const ms = await live();
      expect(ms.status.slo).toMatchObject(expected);
      return ms;
    },
    { withinMs, everyMs: 100 },
  );
const requestsOf = async (name: string, verb: string) => {
  const text = (await operator?.ask('/metrics'))?.text ?? '';
  const lines = [
    ...text.matchAll(new RegExp(`^microservice_platform_${name}\\{[^}]*="${verb}"[^}]*\\} (\\d+)$`, 'gm')),
  ];
  return lines.reduce((sum, [, count]) => sum + Number(count), 0);
};

it('the status says what is left of each error budget, as Prometheus has it, and kubectl shows the least', async () => {
  setLeft({ availability: 0.8799, latency: 1 });
  await run();
  await make();
  const { status } = await says([{ budgetLeft: '87%' }, { budgetLeft: '100%' }]);
  expect(status.slo).toEqual([
    { name: 'availability', objective: '99.9%', budgetLeft: '87%' },
    { name: 'latency', objective: '95%', target: '250ms', budgetLeft: '100%' },
  ]);
  expect(status.budget).toBe('87%');
  setLeft({ availability: -0.5, latency: 0.25 });
  expect((await says([{ budgetLeft: '-50%' }, { budgetLeft: '25%' }])).status.budget).toBe('-50%');
}, 60_000);

it('the status is written when a whole percent changed, and not before, and there are no requests at rest', async () => {
  setLeft({ availability: 0.875, latency: 1 });
  await run();
  await make();
  const before = await says([{ budgetLeft: '87%' }, {}]);
  const patched = await requestsOf('api_requests_total', 'patch');
  const answered = await requestsOf('budget_readings_total', 'answered');
  setLeft({ availability: 0.871, latency: 1 });
  await eventually(
    async () => expect(await requestsOf('budget_readings_total', 'answered')).toBeGreaterThan(answered + 4),
    { withinMs: 15_000, everyMs: 200 },
  );
  expect((await live()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  expect(await requestsOf('api_requests_total', 'patch')).toBe(patched);
}, 60_000);

it('figures of a Prometheus that is gone are kept for a while, then the status says that they are not known, and why', async () => {
  setLeft({ availability: 0.87, latency: 1 });
  const running = await run();
  await make();
  await says([{ budgetLeft: '87%' }, { budgetLeft: '100%' }]);
  await prometheus.stop();
  const { status } = await says([{ note: 'not known: Prometheus cannot be reached' }, {}]);
  expect(status.slo[0]).not.toHaveProperty('budgetLeft');
  expect(status).not.toHaveProperty('budget');
  expect(running.log.filter(({ msg }) => msg === 'error budgets not read')).toHaveLength(1);
  // What the operator is there for goes on meanwhile.
  await api.delete(`${paths.deployments(orders.namespace)}/orders`);
  await eventually(() => api.get(`${paths.deployments(orders.namespace)}/orders`));
  prometheus = await start();
  await says([{ budgetLeft: '87%' }, { budgetLeft: '100%' }]);
}, 60_000);

it('a new operator takes nothing back before Prometheus has answered it', async () => {
  setLeft({ availability: 0.87, latency: 1 });
  await run();
  await make();
  const { metadata } = await says([{ budgetLeft: '87%' }, { budgetLeft: '100%' }]);
  await operator?.stop();
  await run({ OPERATOR_PROMETHEUS_URL: `http://127.0.0.1:${await freePort()}`, OPERATOR_BUDGET_SECONDS: '60' });
  await eventually(async () => expect(await requestsOf('reconciles_total', 'settled')).toBeGreaterThan(0));
  expect((await live()).metadata.resourceVersion).toBe(metadata.resourceVersion);
}, 60_000);

it('Prometheus is not asked while no Microservice has an objective, and has no figure for one that nobody called', async () => {
  await run();
  await make({ tracing: {} });
  await eventually(async () => expect((await live()).status.conditions).toBeDefined());
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await requestsOf('budget_readings_total', 'answered')).toBe(0);
  await api.patch(`${paths.microservices(orders.namespace)}/orders`, { spec: { observability: { slo } } });
  await says([
    { note: 'no data: Prometheus has counted no requests of this service yet' },
    { note: expect.stringContaining('or its histogram has no bucket of 0.25 s') },
  ]);
}, 60_000);

it('without a Prometheus to ask, the status says so', async () => {
  await run({ OPERATOR_PROMETHEUS_URL: '' });
  await make();
  await says([{ note: 'not known: the operator has no Prometheus to ask' }, {}]);
}, 60_000);

it('the objectives of every Microservice are metrics of the operator', async () => {
  const running = await run();
  await make();
  await eventually(async () => {
    const { text } = await running.ask('/metrics');
    const labels = `namespace="${orders.namespace}",name="orders"`;
    expect(text).toContain(`microservice_platform_slo_objective{${labels},slo="availability"} 0.999\n`);
    expect(text).toContain(`microservice_platform_slo_objective{${labels},slo="latency",le="0.25"} 0.95\n`);
  });
  await api.delete(`${paths.microservices(orders.namespace)}/orders`);
  await eventually(async () => {
    expect((await running.ask('/metrics')).text).not.toContain(`namespace="${orders.namespace}",name="orders",slo=`);
  });
}, 60_000);
