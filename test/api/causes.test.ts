import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reason } from '../../operator/src/api/conditions.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

/** The promise: from the moment when the API shows a cause to the moment when the status names it. */
const toldWithinMs = 2_000;

let operator: OperatorProcess;
const took: number[] = [];

startApiServer({ controllerManager: true });
beforeAll(async () => {
  operator = await OperatorProcess.start(plane.kubeconfig);
});
afterAll(async () => {
  await operator.stop();
  const slowest = Math.max(...took).toFixed(0);
  console.log(`${took.length} causes, each in the status ${slowest} ms after the API showed it, or sooner`);
});

const name = 'orders';
const path = () => `${paths.microservices(orders.namespace)}/${name}`;
const core = (plural: string) => `/api/v1/namespaces/${orders.namespace}/${plural}`;
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+/, '');

const podOf = async (): Promise<Wire> => {
  const { items } = await api.get(`${core('pods')}?labelSelector=microservice-platform.io/microservice=${name}`);
  expect(items).toHaveLength(1);
  return items[0];
};

/** Says of the only pod what a kubelet would say. */
async function report(status: object): Promise<void> {
  const pod = await eventually(podOf);
  await api.patch(`${core('pods')}/${pod.metadata.name}/status`, { status });
}

const container = (state: object, more: object = {}) => ({
  phase: 'Pending',
  containerStatuses: [{ name, image: 'a:1', imageID: '', ready: false, restartCount: 0, state, ...more }],
});
const onNode = { type: 'PodScheduled', status: 'True', lastTransitionTime: ago(60) };

/** The cause, how the API comes to show it, what the status says of it. */
const causes: readonly (readonly [what: string, spec: object, show: () => Promise<unknown>, Reason, RegExp])[] = [
  [
    'an image that cannot be pulled',
    {},
    () => report(container({ waiting: { reason: 'ErrImagePull', message: 'failed to resolve a:1: not found' } })),
    'ImagePullFailed',
    /image a:1 was not found in its registry/,
  ],
  [
    'a Secret that a variable needs',
    {},
    () => report(container({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "db" not found' } })),
    'SecretMissing',
    /secret "db" not found/,
  ],
  [
    'a ConfigMap that a volume needs, which no pod tells',
    { volumes: [{ name: 'routes', configMap: { name: 'routes' } }] },
    async () => eventually(podOf),
    'ConfigMapMissing',
    /ConfigMap \S+\/routes - create it/,
  ],
  [
    'a process that ends, with its last words',
    {},
    () =>
      report(
        container(
          { waiting: { reason: 'CrashLoopBackOff' } },
          { lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'no\nno database\n' } } },
        ),
      ),
    'CrashLoop',
    /ended with exit code 3: no database/,
  ],
  [
    'a process that takes too much memory',
    {},
    () => report(container({ terminated: { exitCode: 137, reason: 'OOMKilled' } })),
    'OutOfMemory',
    /raise resources\.limits\.memory/,
  ],
  [
    'a container before the service that fails',
    { initContainers: [{ name: 'migrate', image: 'm:1' }] },
    () =>
      report({
        phase: 'Pending',
        initContainerStatuses: [
          {
            name: 'migrate',
            image: 'm:1',
            imageID: '',
            ready: false,
            restartCount: 1,
            state: { terminated: { exitCode: 1, message: 'table exists' } },
          },
        ],
      }),
    'CrashLoop',
    /exit code 1: table exists - pod \S+, container migrate/,
  ],
  [
    'a pod that fits on no node',
    {},
    () =>
      report({
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes: 3 Insufficient cpu.' },
        ],
      }),
    'Unschedulable',
    /no node can take the pod: 0\/3 nodes: 3 Insufficient cpu/,
  ],
  [
    'volumes that do not come',
    { volumes: [{ name: 'tls', secret: { secretName: 'tls' } }] },
    () => report({ conditions: [onNode, { type: 'PodReadyToStartContainers', status: 'False' }] }),
    'VolumesPending',
    /it needs Secret tls/,
  ],
  [
    'a probe that fails',
    { probes: { readiness: { httpGet: { path: '/readyz' } } } },
    () =>
      report({
        ...container({ running: { startedAt: ago(60) } }, { started: true }),
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: ago(60) }],
      }),
    'ProbeFailing',
    /does not pass its readiness probe \(GET \/readyz on port http\)/,
  ],
  [
    'a quota that leaves no room',
    { resources: { requests: { cpu: '2' } } },
    () => api.post(core('resourcequotas'), { metadata: { name: 'small' }, spec: { hard: { 'requests.cpu': '1' } } }),
    'QuotaExceeded',
    /exceeded quota: small/,
  ],
  [
    'a rule of the namespace that refuses the pods',
    { resources: { requests: { cpu: '2' }, limits: { cpu: '2' } } },
    () =>
      api.post(core('limitranges'), {
        metadata: { name: 'small' },
        spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] },
      }),
    'PodsRefused',
    /maximum cpu usage per Container is 1/,
  ],
];

describe('a cause that the API shows is in the status within 2 s', () => {
  it.for(causes)('%s', async ([, spec, show, reason, message]) => {
    const isRule = reason === 'QuotaExceeded' || reason === 'PodsRefused';
    if (isRule) await show();
    await api.post(paths.microservices(orders.namespace), microservice(orders, { image: 'a:1', ...spec }));
    if (!isRule) await show();
    else await eventually(async () => expect(await isRefused()).toBe(true));
    const shown = performance.now();

    const ready = await eventually(async () => {
      const { status } = await api.get(path());
      const found = status?.conditions?.find(({ type }: Wire) => type === 'Ready');
      expect(found).toMatchObject({ status: 'False', reason });
      return found;
    });
    took.push(performance.now() - shown);

    expect(ready.message).toMatch(message);
    expect(took.at(-1)).toBeLessThan(toldWithinMs);
  });
});

/** Whether the Deployment says that its pods are refused. */
async function isRefused(): Promise<boolean> {
  const { status } = await api.get(`${paths.deployments(orders.namespace)}/${name}`);
  return status.conditions?.some(({ type }: Wire) => type === 'ReplicaFailure') ?? false;
}
