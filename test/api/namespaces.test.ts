import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiProxy } from '../support/api-proxy.ts';
import { api, startApiServer } from '../support/api-server.ts';
import { installChartOperator } from '../support/chart-operator.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

// An operator that the chart installs for two namespaces of three.
const mine = ['team-a', 'team-b'];
const other = 'team-c';
let proxy: ApiProxy;
let operator: OperatorProcess;

startApiServer();
beforeAll(async () => {
  for (const name of [...mine, other]) await api.post('/api/v1/namespaces', { metadata: { name } });
  const { kubeconfig, env } = await installChartOperator({ operator: { namespaces: mine } });
  proxy = await ApiProxy.start(kubeconfig);
  operator = await OperatorProcess.start(proxy.kubeconfig, env);
});
afterAll(async () => {
  await operator?.stop();
  await proxy?.[Symbol.asyncDispose]();
});

const make = (namespace: string) =>
  api.post(paths.microservices(namespace), microservice({ namespace, name: 'orders' }, { replicas: 0 }));
const reason = async (namespace: string) => {
  const { status } = await api.get(`${paths.microservices(namespace)}/orders`);
  return status.conditions?.find(({ type }: { type: string }) => type === 'Ready')?.reason;
};

describe('an operator for some namespaces', () => {
  test('does its work in each of them, and touches and reads nothing in any other', async () => {
    for (const namespace of [...mine, other]) await make(namespace);
    for (const namespace of mine) await eventually(async () => expect(await reason(namespace)).toBe('Progressing'));
    await sleep(1_000);

    expect(await reason(other)).toBeUndefined();
    expect((await api.get(paths.deployments(other))).items).toEqual([]);
    expect(operator.log.filter((line) => /forbidden|denied/i.test(JSON.stringify(line)))).toEqual([]);
    expect(proxy.seen.filter(({ verb }) => verb === 'list' || verb === 'watch').length).toBeGreaterThan(0);
  });

  test('keeps what it made in each of them', async () => {
    for (const namespace of mine) {
      const path = `${paths.deployments(namespace)}/orders`;
      const { metadata } = await api.get(path);
      await api.delete(path);
      await eventually(async () => expect((await api.get(path)).metadata.uid).not.toBe(metadata.uid));
    }
  });

  test('has no right anywhere else', async () => {
    const { items } = await api.get('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings');
    const bound = items.filter(({ subjects = [] }: { subjects?: { name: string }[] }) =>
      subjects.some(({ name }) => name === 'operator'),
    );
    expect(bound).toEqual([]);
  });
});

describe('an operator that has no right in one of its namespaces', () => {
  test('is not ready, and says what it lacks where', async () => {
    const { kubeconfig, env } = {
      kubeconfig: proxy.kubeconfig,
      env: { OPERATOR_WATCH_NAMESPACES: `${mine[0]},${other}` },
    };
    await using astray = OperatorProcess.launch(kubeconfig, env);
    const complaint = await eventually(() => {
      const found = astray.log.find(
        ({ msg, namespace }) => msg === 'watch interrupted, trying again' && namespace === other,
      );
      if (found === undefined) throw new Error('it did not say what it lacks');
      return found;
    });

    expect(complaint).toMatchObject({ remedy: expect.stringMatching(/ServiceAccount the verbs list and watch on/) });
    expect(await astray.ask('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('Microservice') });
  });
});
