import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { serviceNames } from '../../cluster/image-list.ts';
import { run } from '../../cluster/run.ts';
import { tool } from '../../cluster/toolchain.ts';
import { dashboards } from '../../dashboards/files.ts';
import { kubeconfigOfAccount } from '../support/account.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { KubeApi, makeNamespace, paths } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { chart, find, platformNamespace, render, repository, type Wire } from './rendered.ts';

// Chart and shop on a real API server with its controllers, but without a node: every pod is admitted and none runs, so the
// operator runs beside it, with the token of its own account.
const platformServices = ['operator', 'jaeger', 'prometheus', 'alertmanager', 'grafana', 'loki', 'log-collector'];
let plane: ControlPlane;
let api: KubeApi;
let operator: OperatorProcess;
let folder: string;

/** Runs kubectl as administrator; a warning of the API server fails it too. */
const kubectl = (args: readonly string[], input?: string) =>
  run(tool('kubectl'), ['--kubeconfig', plane.kubeconfig, '--warnings-as-errors', ...args], {
    timeoutMs: 30_000,
    ...(input === undefined ? {} : { input }),
  });

/** A kubeconfig that holds nothing but the token of one of the chart's accounts. */
const kubeconfigOf = (name: string) => kubeconfigOfAccount({ api, plane }, platformNamespace, name);

async function podsIn(namespace: string): Promise<readonly Wire[]> {
  return (await api.get(paths.pods(namespace))).items;
}

/** An address for a pod, from its unique name. */
function addressOf({ metadata }: Wire): string {
  const digest = createHash('sha256').update(metadata.name).digest();
  return `127.77.${digest[0]}.${digest[1]}`;
}

/** Says of a pod what a node would say. */
async function report(pod: Wire, phase: 'Running' | 'Failed'): Promise<void> {
  const podIP = addressOf(pod);
  const path = `${paths.pods(pod.metadata.namespace)}/${pod.metadata.name}/status`;
  await api.patch(path, { status: { phase, podIP, podIPs: [{ ip: podIP }] } });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'installed-'));
  plane = await startControlPlane({ controllerManager: true });
  api = new KubeApi(plane.kubeconfig);
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await api.post('/api/v1/namespaces', { metadata: { name: platformNamespace, labels } });
  await run(
    tool('helm'),
    ['install', 'platform', chart, '--kubeconfig', plane.kubeconfig, '--namespace', platformNamespace],
    { timeoutMs: 60_000 },
  );
  await kubectl(['wait', '--for=condition=Established', 'crd/microservices.microservice-platform.io']);
  operator = await OperatorProcess.start(await kubeconfigOf('operator'));
  await kubectl(['apply', '--server-side', '-f', join(repository, 'manifests/shop')]);
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  await api?.[Symbol.asyncDispose]();
  await plane?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('in namespaces that enforce the profile `restricted`', () => {
  it('every pod of the chart is admitted', async () => {
    await eventually(async () => expect(await podsIn(platformNamespace)).toHaveLength(platformServices.length));
  });

  it('every pod of the shop is admitted, those that the operator asks for as well', async () => {
    const owners = (all: readonly Wire[]) =>
      all.map(({ metadata }): string => metadata.labels['app.kubernetes.io/name']).sort();
    await eventually(
      async () =>
        expect(owners(await podsIn('shop'))).toEqual([
          'analytics-service',
          'api-gateway',
          'api-gateway',
          'inventory-service',
          'inventory-service',
          'notification-service',
          'order-service',
          'order-service',
          'payment-service',
          'payment-service',
          'postgresql',
          'product-service',
          'product-service',
          'rabbitmq',
          'user-service',
        ]),
      { withinMs: 30_000 },
    );
  });
});

describe('with the rights that the chart gives it', () => {
  it('the operator makes, changes and takes away every kind of child', async () => {
    const namespace = await makeNamespace(api);
    const autoscaling = { minReplicas: 1, maxReplicas: 2, cpu: 50 };
    const resources = { requests: { cpu: '50m' } };
    await api.post(
      paths.microservices(namespace),
      microservice({ namespace, name: 'orders' }, { resources, autoscaling }),
    );
    const path = `${paths.microservices(namespace)}/orders`;
    const child = (kind: 'deployments' | 'services' | 'autoscalers') =>
      api.ask('GET', `${paths[kind](namespace)}/orders`);
    await eventually(async () => {
      expect((await child('autoscalers')).status).toBe(200);
      expect((await child('services')).status).toBe(200);
    });
    await api.patch(path, { spec: { autoscaling: null, ports: null, replicas: 3 } });
    await eventually(async () => {
      expect((await child('autoscalers')).status).toBe(404);
      expect((await child('services')).status).toBe(404);
      expect((await child('deployments')).body.spec.replicas).toBe(3);
    });
  });

  it('the operator writes the status of what it works on', async () => {
    const orders = await eventually(async () => {
      const found = await api.get(`${paths.microservices('shop')}/order-service`);
      expect(found.status.observedGeneration).toBe(found.metadata.generation);
      return found;
    });
    expect(orders.status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready' }));
  });

  it('the operator is refused nothing that it tries', () => {
    expect(operator.log.filter((line) => /forbidden|denied|40[13]/i.test(JSON.stringify(line)))).toEqual([]);
  });

  it.each([
    ['secrets', 'list', 'shop'],
    ['secrets', 'get', platformNamespace],
    ['pods', 'create', 'shop'],
    ['secrets', 'create', platformNamespace],
    ['serviceaccounts/token', 'create', platformNamespace],
    ['clusterroles', 'escalate', ''],
  ])('the operator cannot touch %s (%s)', async (resource, verb, namespace) => {
    const user = `system:serviceaccount:${platformNamespace}:operator`;
    const [name, subresource] = resource.split('/');
    const group = name === 'clusterroles' ? 'rbac.authorization.k8s.io' : '';
    const { status } = await api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: {
        user,
        resourceAttributes: { namespace, verb, group, resource: name, subresource: subresource ?? '' },
      },
    });
    expect(status.allowed).toBe(false);
  });
});

describe('Prometheus, with the configuration and the account of the chart', () => {
  /** What Prometheus is to know about a pod, or nothing where the pod is none of its business. */
  function targetOf(pod: Wire): Target | undefined {
    const { namespace, name, labels } = pod.metadata;
    const ofPlatform = namespace === platformNamespace;
    if (!ofPlatform && labels['microservice-platform.io/microservice'] === undefined) return undefined;
    const service: string = labels['app.kubernetes.io/name'];
    const wanted = service === 'jaeger' ? 'metrics' : 'http';
    const port = pod.spec.containers[0].ports?.find((each: Wire) => each.name === wanted)?.containerPort;
    if (port === undefined) return undefined;
    const instance = `${addressOf(pod)}:${port}`;
    const job = ofPlatform ? service : 'microservices';
    return { url: `http://${instance}/metrics`, labels: { namespace, pod: name, service, job, instance } };
  }

  it('finds every running pod of platform and Microservices at its metrics, and no other', async () => {
    const program = tool('prometheus');
    const all = [...(await podsIn(platformNamespace)), ...(await podsIn('shop'))];
    const done = all.find(({ metadata }) => metadata.labels['app.kubernetes.io/name'] === 'order-service');
    for (const pod of all) await report(pod, pod === done ? 'Failed' : 'Running');
    const expected = all.filter((pod) => pod !== done).flatMap((pod) => targetOf(pod) ?? []);

    await using prometheus = await startPrometheus(program, await kubeconfigOf('prometheus'));
    const byUrl = (one: Target, other: Target) => one.url.localeCompare(other.url);
    await eventually(async () => expect((await prometheus.targets()).sort(byUrl)).toEqual(expected.sort(byUrl)), {
      withinMs: 20_000,
      everyMs: 200,
    });
    const services = [...platformServices, ...serviceNames];
    expect(new Set(expected.map(({ labels }) => labels.service))).toEqual(new Set(services));
  });

  it('understands every query of the dashboards', async () => {
    await using prometheus = await startPrometheus(tool('prometheus'), await kubeconfigOf('prometheus'));
    const expressions = Object.values(dashboards)
      .flatMap(({ panels = [] }) =>
        panels.flatMap((panel): Wire[] => ('targets' in panel ? (panel.targets ?? []) : [])),
      )
      .flatMap(({ expr }): string[] => (expr === undefined ? [] : [expr.replaceAll('$__rate_interval', '1m')]));
    expect(expressions.length).toBeGreaterThan(30);
    for (const expr of expressions) expect(await prometheus.understands(expr)).toBe(true);
  });
});

describe('Jaeger, with the configuration of the chart', () => {
  it('starts, is well, answers queries and has metrics', async () => {
    const program = tool('jaeger');
    const objects = render();
    // The same configuration, on ports of its own: tests beside this one may run a Jaeger too.
    let config: string = find(objects, 'ConfigMap', 'jaeger').data['jaeger.yaml'];
    const ports = new Map<string, number>();
    for (const [, port = ''] of config.matchAll(/(?::|port: )(\d{4,5})/g)) ports.set(port, await freePort());
    for (const [port, free] of ports) config = config.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), `${free}`);
    const offered = find(objects, 'Service', 'jaeger').spec.ports.map(({ port }: Wire) => `${port}`);
    expect([...ports.keys()]).toEqual(expect.arrayContaining(offered));

    const file = join(folder, 'jaeger.yaml');
    writeFileSync(file, config);
    const daemon = startDaemon('jaeger', program, { args: [`--config=${file}`], cwd: folder });
    const ask = (port: string, path: string) => get(`http://127.0.0.1:${ports.get(port)}${path}`);
    try {
      await daemon.ready(() => answers(ask('13133', '/status')), 30_000);
      expect((await ask('16686', '/api/services')).status).toBe(200);
      expect(await (await ask('8888', '/metrics')).text()).toContain('otelcol_process_uptime');
    } finally {
      await daemon.end('SIGTERM');
    }
  });
});

interface Target {
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface Prometheus extends AsyncDisposable {
  /** What it asks for metrics, and how it names that. */
  targets(): Promise<Target[]>;
  understands(expression: string): Promise<boolean>;
}

/** Runs Prometheus with the chart's flags and configuration, changed only in where things are on this machine. */
async function startPrometheus(program: string, kubeconfig: string): Promise<Prometheus> {
  const objects = render();
  const config: Wire = parse(find(objects, 'ConfigMap', 'prometheus').data['prometheus.yml']);
  for (const job of config.scrape_configs) {
    for (const discovery of job.kubernetes_sd_configs) discovery.kubeconfig_file = kubeconfig;
  }
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  const [container] = find(objects, 'Deployment', 'prometheus').spec.template.spec.containers;
  const flags = container.args.map((flag: string) =>
    flag.replace('/etc/prometheus/prometheus.yml', file).replace('=/prometheus', `=${join(folder, 'samples')}`),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const args = [...flags, `--web.listen-address=${address}`];
  const daemon = startDaemon('prometheus', program, { args, cwd: folder });
  await daemon.ready(() => answers(get(`http://${address}/-/ready`)), 30_000);
  return {
    targets: async () => {
      const answer: Wire = await (await get(`http://${address}/api/v1/targets?state=active`)).json();
      return answer.data.activeTargets.map(({ scrapeUrl, labels }: Wire) => ({ url: scrapeUrl, labels }));
    },
    understands: async (expression) =>
      (await get(`http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`)).ok,
    [Symbol.asyncDispose]: () => daemon.end('SIGTERM'),
  };
}

const get = (url: string) => fetch(url, { signal: AbortSignal.timeout(5_000) });

const answers = (asked: Promise<Response>) =>
  asked.then(
    ({ ok }) => ok,
    () => false,
  );
