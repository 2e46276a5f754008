import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiProxy } from '../support/api-proxy.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { startControlPlane } from '../support/control-plane.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { installDefinition, KubeApi, paths, readKubeconfig, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

/** A hand-made change to a child may last this long. */
const repairMs = 2_000;

let operator: OperatorProcess;

startApiServer({ controllerManager: true });
beforeAll(async () => {
  operator = await OperatorProcess.start(plane.kubeconfig);
});
afterAll(async () => {
  await operator.stop();
});

const spec = {
  replicas: 2,
  resources: { requests: { cpu: '100m' } },
  autoscaling: { minReplicas: 2, maxReplicas: 5, cpu: 70 },
};
const kinds = {
  Deployment: paths.deployments,
  Service: paths.services,
  HorizontalPodAutoscaler: paths.autoscalers,
};
type ChildKind = keyof typeof kinds;

const microservicePath = ({ namespace, name } = orders) => `${paths.microservices(namespace)}/${name}`;
const childPath = (kind: ChildKind, { namespace, name } = orders) => `${kinds[kind](namespace)}/${name}`;
const child = (kind: ChildKind, key = orders): Promise<Wire> => api.get(childPath(kind, key));
const isGone = async (path: string) => expect((await api.ask('GET', path)).status).toBe(404);

async function ready(key = orders): Promise<Wire> {
  const { status } = await api.get(microservicePath(key));
  return status?.conditions?.find(({ type }: Wire) => type === 'Ready');
}

/** A Microservice whose children are all there. */
async function established(key = orders, changes: object = {}): Promise<Wire> {
  const made = await api.post(paths.microservices(key.namespace), microservice(key, { ...spec, ...changes }));
  await eventually(async () => expect(await ready(key)).toBeDefined());
  return made;
}

describe('a Microservice', () => {
  test('gets a Deployment, a Service and an autoscaler that belong to it', async () => {
    const { metadata } = await established();

    for (const kind of Object.keys(kinds) as ChildKind[]) {
      const { metadata: of } = await child(kind);
      expect(of.labels).toMatchObject({
        'app.kubernetes.io/name': 'orders',
        'app.kubernetes.io/managed-by': 'microservice-platform',
        'microservice-platform.io/microservice': 'orders',
      });
      expect(of.ownerReferences).toEqual([
        expect.objectContaining({
          kind: 'Microservice',
          name: 'orders',
          uid: metadata.uid,
          controller: true,
        }),
      ]);
    }
    expect((await child('Deployment')).spec.selector).toEqual({
      matchLabels: { 'microservice-platform.io/microservice': 'orders' },
    });
  });

  test('has every change passed on to its children', async () => {
    await established();
    await api.patch(microservicePath(), { spec: { image: 'example.test/orders:2.0.0' } });

    await eventually(
      async () =>
        expect((await child('Deployment')).spec.template.spec.containers[0].image).toBe('example.test/orders:2.0.0'),
      { withinMs: repairMs },
    );
  });

  test('loses its autoscaler when it no longer asks for one', async () => {
    await established();
    await api.patch(microservicePath(), { spec: { autoscaling: null, replicas: 3 } });

    await eventually(() => isGone(childPath('HorizontalPodAutoscaler')), { withinMs: repairMs });
    await eventually(async () => expect((await child('Deployment')).spec.replicas).toBe(3));
  });

  test('takes its children along when it is deleted, and nobody else', async () => {
    const users = { ...orders, name: 'users' };
    await Promise.all([established(), established(users)]);
    await api.delete(microservicePath());

    for (const kind of Object.keys(kinds) as ChildKind[]) {
      await eventually(() => isGone(childPath(kind)), { withinMs: 20_000 });
      expect((await child(kind, users)).metadata.deletionTimestamp).toBeUndefined();
    }
  });

  test('that comes back under the same name gets children of its own', async () => {
    await established();
    await api.delete(microservicePath());
    const { metadata } = await established();

    await eventually(async () => expect((await child('Service')).metadata.ownerReferences[0].uid).toBe(metadata.uid), {
      withinMs: 20_000,
    });
  });
});

describe('what somebody does to a child by hand is undone within 2 s', () => {
  test.each<[string, ChildKind, object, string, unknown]>([
    [
      'another image',
      'Deployment',
      { spec: { template: { spec: { containers: [{ name: 'orders', image: 'evil' }] } } } },
      'image',
      'example.test/orders:1.0.0',
    ],
    [
      'another selector',
      'Service',
      { spec: { selector: { 'microservice-platform.io/microservice': 'x' } } },
      'selector',
      { 'microservice-platform.io/microservice': 'orders' },
    ],
    ['another port', 'Service', { spec: { ports: [{ name: 'http', port: 9999 }] } }, 'ports', [8080]],
    [
      'one more port',
      'Service',
      {
        spec: {
          ports: [
            { name: 'http', port: 8080, targetPort: 'http' },
            { name: 'x', port: 9999 },
          ],
        },
      },
      'ports',
      [8080],
    ],
    ['other bounds', 'HorizontalPodAutoscaler', { spec: { maxReplicas: 50 } }, 'maxReplicas', 5],
    [
      'another port of the container',
      'Deployment',
      {
        spec: {
          template: {
            spec: {
              containers: [{ name: 'orders', image: 'evil', ports: [{ name: 'http', containerPort: 9999 }] }],
            },
          },
        },
      },
      'containerPorts',
      [8080],
    ],
  ])('%s', async (_, kind, patch, field, wanted) => {
    await established();
    await api.patch(childPath(kind), patch);

    const value = ({ spec: live }: Wire) => {
      if (field === 'containerPorts') {
        return live.template.spec.containers[0].ports.map(({ containerPort }: Wire) => containerPort);
      }
      if (field === 'image') return live.template.spec.containers[0].image;
      return field === 'ports' ? live.ports.map(({ port }: Wire) => port) : live[field];
    };
    await eventually(async () => expect(value(await child(kind))).toEqual(wanted), { withinMs: repairMs });
  });

  test.each(Object.keys(kinds) as ChildKind[])('a deleted %s', async (kind) => {
    await established();
    const before = await child(kind);
    await api.delete(childPath(kind));

    await eventually(async () => expect((await child(kind)).metadata.uid).not.toBe(before.metadata.uid), {
      withinMs: repairMs,
    });
  });

  test.each(Object.keys(kinds) as ChildKind[])('the labels and the owner of a %s', async (kind) => {
    await established();
    const { metadata } = await child(kind);
    await api.patch(childPath(kind), { metadata: { labels: null } });
    await eventually(async () => expect((await child(kind)).metadata.labels).toEqual(metadata.labels), {
      withinMs: repairMs,
    });
  });

  test('and a change of the ports after that is passed on whole', async () => {
    await established();
    const port = (number: number) => ({ spec: { ports: [{ name: 'http', port: number }] } });
    const shown = async () => (await child('Service')).spec.ports.map(({ port }: Wire) => port);
    await api.patch(childPath('Service'), port(9999));
    await eventually(async () => expect(await shown()).toEqual([8080]), { withinMs: repairMs });
    await api.patch(microservicePath(), { spec: { ports: [{ name: 'http', containerPort: 7070 }] } });
    await eventually(async () => expect(await shown()).toEqual([7070]), { withinMs: repairMs });

    const [container] = (await child('Deployment')).spec.template.spec.containers;
    expect(container.ports.map(({ containerPort }: Wire) => containerPort)).toEqual([7070]);
  });

  test('but not what is none of the operator’s business', async () => {
    await established();
    await api.patch(childPath('Deployment'), { metadata: { annotations: { 'their.test/note': 'mine' } } });
    await api.patch(childPath('HorizontalPodAutoscaler'), { spec: { maxReplicas: 50 } });
    await eventually(async () => expect((await child('HorizontalPodAutoscaler')).spec.maxReplicas).toBe(5));

    expect((await child('Deployment')).metadata.annotations).toMatchObject({ 'their.test/note': 'mine' });
  });
});

test('an object of somebody else in the place of a child is left alone, and named in the status', async () => {
  const foreign = await api.post(paths.services(orders.namespace), {
    metadata: { name: 'orders' },
    spec: { ports: [{ port: 1 }] },
  });
  await established();

  expect(await ready()).toMatchObject({ status: 'False', reason: 'Conflict' });
  expect(await child('Service')).toEqual(foreign);
  expect((await child('Deployment')).metadata.name).toBe('orders');
});

test('a Microservice that cannot be written does not hold up another', async () => {
  await using proxy = await ApiProxy.start(plane.kubeconfig);
  await operator.stop();
  await using through = await OperatorProcess.start(proxy.kubeconfig);
  proxy.break(({ name }) => (name === 'bad' ? { status: 500 } : undefined));
  await api.post(paths.microservices(orders.namespace), microservice({ ...orders, name: 'bad' }, spec));
  const start = performance.now();
  await established();
  const tookMs = performance.now() - start;
  proxy.break();
  await eventually(async () => expect(await ready({ ...orders, name: 'bad' })).toBeDefined(), {
    withinMs: 20_000,
  });

  expect(tookMs).toBeLessThan(2_000);
  await through.stop();
  operator = await OperatorProcess.start(plane.kubeconfig);
});

describe('the operator', () => {
  test('undoes at its start what was done while it was away', async () => {
    await established();
    await operator.stop('SIGKILL');
    await api.delete(childPath('Service'));
    await api.patch(childPath('HorizontalPodAutoscaler'), { spec: { maxReplicas: 50 } });
    operator = await OperatorProcess.start(plane.kubeconfig);

    await eventually(() => child('Service'), { withinMs: repairMs });
    await eventually(async () => expect((await child('HorizontalPodAutoscaler')).spec.maxReplicas).toBe(5), {
      withinMs: repairMs,
    });
  });

  test('started before the API server and the resource definition are there says so, and is ready once they are', async () => {
    await using early = await startControlPlane();
    await using proxy = await ApiProxy.start(early.kubeconfig);
    proxy.break(() => 'reset');
    await using waiting = OperatorProcess.launch(proxy.kubeconfig);
    const state = () => eventually(() => waiting.ask('/readyz'));

    expect(await state()).toMatchObject({ status: 503, text: expect.stringContaining('not in memory yet') });
    expect((await waiting.ask('/healthz')).status).toBe(200);
    proxy.break();
    await eventually(async () => expect((await state()).text).toBe('not in memory yet: Microservice\n'));
    await using earlyApi = new KubeApi(early.kubeconfig);
    await installDefinition(earlyApi);
    await waiting.ready();
    expect(await waiting.stop()).toBe(0);
  });

  test('ends within seconds when asked to, with exit code 0 and nothing on the error stream', async () => {
    const start = performance.now();
    const code = await operator.stop();
    operator = await OperatorProcess.start(plane.kubeconfig);

    expect(code).toBe(0);
    expect(performance.now() - start).toBeLessThan(8_000);
  });

  test('tells about itself in metrics, of each Microservice whether it is ready', async () => {
    await established();
    const { status, text } = await operator.ask('/metrics');

    expect(status).toBe(200);
    expect(text).toMatch(/^microservice_platform_api_requests_total\{verb="create",kind="Service",code="201"\} \d+$/m);
    expect(text).toMatch(/^microservice_platform_reconciles_total\{result="settled"\} \d+$/m);
    expect(text).toContain(`microservice_platform_microservice_ready{namespace="${orders.namespace}",name="orders"} 0`);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    expect((await operator.ask('/nothing')).status).toBe(404);
  });

  test('never writes its token into its log', () => {
    expect(JSON.stringify(operator.log)).not.toContain(readKubeconfig(plane.kubeconfig).token);
  });
});
