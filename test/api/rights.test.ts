import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childKinds } from '../../operator/src/api/kinds.ts';
import { find, ofKind, render } from '../chart/rendered.ts';
import { ApiProxy, type SeenRequest } from '../support/api-proxy.ts';
import { api, orders, startApiServer } from '../support/api-server.ts';
import { installChartOperator } from '../support/chart-operator.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

// Least privilege, both ways: the operator is refused nothing that it tries, and has no right that it does not use. Its
// Secrets are switched on, so that those rights are held to the same.
const values = { operator: { rolloutOnSecretChange: true } };
let proxy: ApiProxy;
let operator: OperatorProcess;

startApiServer({ controllerManager: true });
beforeAll(async () => {
  const { kubeconfig, env } = await installChartOperator(values);
  proxy = await ApiProxy.start(kubeconfig);
  operator = await OperatorProcess.start(proxy.kubeconfig, env);
});
afterAll(async () => {
  await operator?.stop();
  await proxy?.[Symbol.asyncDispose]();
});

/** A Microservice that has every kind of child, and uses content of both kinds. */
const whole = {
  config: { data: { LEVEL: 'info' } },
  env: [
    { name: 'A', valueFrom: { configMapKeyRef: { name: 'content', key: 'a' } } },
    { name: 'B', valueFrom: { secretKeyRef: { name: 'content', key: 'a' } } },
  ],
  resources: { requests: { cpu: '100m' } },
  autoscaling: { maxReplicas: 3, cpu: 70 },
};
/** The same, with as few children as there can be. */
const bare = { config: null, ports: null, autoscaling: null, replicas: 0, serviceAccount: { name: 'default' } };

/** Asked for by the admission plugin OwnerReferencesPermissionEnforcement, of whoever sets an owner; it is off here. */
const forOwners = ['delete deployments', 'delete poddisruptionbudgets'];

const collection = ({ apiVersion, plural }: (typeof childKinds)[number]) =>
  `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}/namespaces/${orders.namespace}/${plural}`;
const path = () => `${paths.microservices(orders.namespace)}/orders`;
const names = async (kind: (typeof childKinds)[number]) =>
  (await api.get(collection(kind))).items.map(({ metadata }: Wire) => metadata.name);

/** Does all that an operator has to do with what somebody can do to it: make, meet, mend, take away. */
async function wholeLife(): Promise<void> {
  await api.post(`/api/v1/namespaces/${orders.namespace}/configmaps`, {
    metadata: { name: 'content' },
    data: { a: '1' },
  });
  await api.post(`/api/v1/namespaces/${orders.namespace}/secrets`, {
    metadata: { name: 'content' },
    data: { a: 'MQ==' },
  });
  await api.post(paths.microservices(orders.namespace), microservice(orders, whole));
  const made = async () => {
    for (const kind of childKinds) expect(await names(kind)).toContain('orders');
  };
  await eventually(made);
  await api.delete(`${collection(childKinds[0] as (typeof childKinds)[number])}/orders`);
  await eventually(made);
  for (const kind of childKinds) {
    const child = `${collection(kind)}/orders`;
    await api.patch(child, { metadata: { labels: { 'app.kubernetes.io/managed-by': 'somebody' } } }); // Out of sight.
    await eventually(async () =>
      expect((await api.get(child)).metadata.labels['app.kubernetes.io/managed-by']).toBe('microservice-platform'),
    );
  }
  await api.patch(path(), { spec: bare });
  for (const kind of childKinds) {
    const isLeft = kind.kind === 'Deployment' || kind.kind === 'PodDisruptionBudget';
    if (!isLeft) await eventually(async () => expect(await names(kind)).not.toContain('orders'));
  }
  await eventually(() => expect(proxy.seen.some(({ resource }) => resource === 'events')).toBe(true));
  await api.delete(path());
  await eventually(async () => expect(await names(childKinds[0] as (typeof childKinds)[number])).toEqual([]));
  await sleep(1_000);
}

/** The rights that a request takes. A server-side apply that made its object took the right to create as well. */
function rightsOf({ verb, resource, status }: SeenRequest): string[] {
  if (verb === 'apply') return [`patch ${resource}`, ...(status === 201 ? [`create ${resource}`] : [])];
  return [`${verb} ${resource}`];
}

function rightsGiven(): string[] {
  const objects = render(values);
  const own = ['operator-lease', 'operator-content-key'].map((name) => find(objects, 'Role', name));
  const role = find(ofKind(objects, 'ClusterRole'), 'ClusterRole', 'microservice-platform-operator');
  return [role, ...own].flatMap(({ rules }: Wire) =>
    rules.flatMap(({ verbs, resources }: Wire) =>
      resources.flatMap((resource: string) => verbs.map((verb: string) => `${verb} ${resource}`)),
    ),
  );
}

test('the operator uses every right that the chart gives it, and tries nothing without a right', async () => {
  await wholeLife();

  const refused = proxy.seen.filter(({ status }) => status === 401 || status === 403);
  expect(refused.map(({ verb, resource, name }) => `${verb} ${resource} ${name}`)).toEqual([]);
  const used = new Set(proxy.seen.flatMap(rightsOf));
  expect([...new Set(rightsGiven())].filter((right) => !used.has(right))).toEqual(forOwners);
}, 60_000);
