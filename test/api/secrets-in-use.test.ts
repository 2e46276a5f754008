import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { platformNamespace } from '../chart/rendered.ts';
import { api, orders, startApiServer } from '../support/api-server.ts';
import { installChartOperator } from '../support/chart-operator.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

let operator: OperatorProcess;

startApiServer({ controllerManager: true });
beforeAll(async () => {
  const { kubeconfig, env } = await installChartOperator({ operator: { rolloutOnSecretChange: true } });
  operator = await OperatorProcess.start(kubeconfig, env);
});
afterAll(async () => {
  await operator?.stop();
});

describe('an operator installed with operator.rolloutOnSecretChange', () => {
  const password = 'correct horse battery staple';

  test('makes the key of its digests itself, and replaces pods when a Secret in use changes', async () => {
    const secrets = `/api/v1/namespaces/${orders.namespace}/secrets`;
    await api.post(secrets, { metadata: { name: 'orders-db' }, stringData: { password, unused: 'a' } });
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'orders-db', key: 'password' } } }];
    await api.post(paths.microservices(orders.namespace), microservice(orders, { env }));
    const first = await eventually(templateOf);

    await api.patch(`${secrets}/orders-db`, { stringData: { unused: 'b' } });
    await api.patch(`${secrets}/orders-db`, { stringData: { password: `${password}!` } });
    const second = await eventually(async () => {
      const template = await templateOf();
      expect(template).not.toBe(first);
      return template;
    });

    await api.patch(`${secrets}/orders-db`, { stringData: { password } });
    await eventually(async () => expect(await templateOf()).toBe(first));
    for (const text of [first, second, JSON.stringify(operator.log)]) expect(text).not.toContain(password);
    const key = await api.get(`/api/v1/namespaces/${platformNamespace}/secrets/operator-content-key`);
    expect(Object.values(key.data)).toHaveLength(1);
  });
});

/** The template of the pods, as text. */
async function templateOf(): Promise<string> {
  const { spec } = await api.get(`${paths.deployments(orders.namespace)}/${orders.name}`);
  return JSON.stringify(spec.template);
}
