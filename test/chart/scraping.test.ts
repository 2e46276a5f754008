import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { deployment } from '../../operator/src/desired/deployment.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { type Exporter, startExporter } from '../support/exporter.ts';
import { microservice } from '../support/microservice.ts';
import { type Prometheus, startPrometheus, type Target } from '../support/prometheus.ts';
import { find, render, type Wire } from './rendered.ts';

/** The job of the chart, asking the API server of this test instead of that of its own cluster. */
function configOfChart(): object {
  const config: Wire = parse(find(render(), 'ConfigMap', 'prometheus').data['prometheus.yml']);
  const [microservices] = config.scrape_configs;
  expect(microservices.job_name).toBe('microservices');
  const [discovery] = microservices.kubernetes_sd_configs;
  const kubernetes_sd_configs = [{ ...discovery, kubeconfig_file: plane.kubeconfig }];
  return { global: { scrape_interval: '1s' }, scrape_configs: [{ ...microservices, kubernetes_sd_configs }] };
}

/** A pod as the operator asks for it and the node reports it: with an address, here that of this machine. */
async function runPod(name: string, spec: Parameters<typeof microservice>[0]): Promise<void> {
  const { template } = deployment(microservice({ ...spec, metadata: { name, namespace: orders.namespace } }))
    .spec as Wire;
  const pods = `/api/v1/namespaces/${orders.namespace}/pods`;
  await api.post(`/api/v1/namespaces/${orders.namespace}/serviceaccounts`, { metadata: { name } });
  await api.post(pods, { metadata: { name: `${name}-1`, ...template.metadata }, spec: template.spec });
  const status = { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
  await api.patch(`${pods}/${name}-1/status`, { status });
}

describe('the Prometheus of the chart, with a real API server', () => {
  startApiServer();
  let usual: Exporter;
  let own: Exporter;
  let prometheus: Prometheus;
  beforeAll(async () => {
    usual = await startExporter('seen{where="usual"} 1\n');
    own = await startExporter('seen{where="own"} 1\n', '/internal/metrics');
    prometheus = await startPrometheus(configOfChart());
  });
  afterAll(async () => {
    for (const each of [prometheus, usual, own]) await each?.[Symbol.asyncDispose]();
  });

  const http = () => ({ name: 'http', containerPort: usual.port });
  const admin = () => ({ name: 'admin', containerPort: own.port });
  /** The targets that are up, once there are as many of this test as are meant to be. */
  const targets = (count: number): Promise<readonly Target[]> =>
    eventually(
      async () => {
        const found = (await prometheus.targets()).filter(({ labels }) => labels.namespace === orders.namespace);
        expect(found.map(({ health }) => health)).toEqual(Array.from({ length: count }, () => 'up'));
        return found;
      },
      { withinMs: 20_000, everyMs: 200 },
    );

  it('asks a pod at the port and the path that its Microservice states, and at no other', async () => {
    const metrics = { port: 'admin', path: '/internal/metrics' };
    await runPod('orders', { spec: { ports: [http(), admin()], observability: { metrics } } });
    const [target] = await targets(1);
    expect(target).toMatchObject({
      scrapeUrl: `http://${own.address}/internal/metrics`,
      labels: { namespace: orders.namespace, service: 'orders', pod: 'orders-1', job: 'microservices' },
    });
    const samples = await eventually(async () => {
      const found = await prometheus.query(`seen{namespace="${orders.namespace}"}`);
      expect(found).toHaveLength(1);
      return found;
    });
    expect(samples[0]?.metric.where).toBe('own');
  });

  it('asks a pod that says nothing at its port named http for /metrics, and leaves out one that is not to be asked', async () => {
    await runPod('silent', { spec: { ports: [http(), admin()], observability: { metrics: { enabled: false } } } });
    await runPod('portless', { spec: { ports: [admin()] } });
    await runPod('usual', { spec: { ports: [http(), admin()] } });
    const [target] = await targets(1);
    expect(target).toMatchObject({ scrapeUrl: `http://${usual.address}/metrics`, labels: { service: 'usual' } });
  });

  it('follows the annotations that a team gives its pods itself', async () => {
    const podAnnotations = { 'prometheus.io/port': String(own.port), 'prometheus.io/path': '/internal/metrics' };
    await runPod('annotated', { spec: { ports: [http()], podAnnotations } });
    expect((await targets(1))[0]?.scrapeUrl).toBe(`http://${own.address}/internal/metrics`);
  });
});
