import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { api, orders, startApiServer } from '../support/api-server.ts';
import { installChartOperator } from '../support/chart-operator.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { runPods } from '../support/played-node.ts';

// Kubernetes' own autoscaler, on a cluster that serves no metrics of any kind.
let operator: OperatorProcess;

startApiServer({ controllerManager: true });
beforeAll(async () => {
  const { kubeconfig, env } = await installChartOperator();
  operator = await OperatorProcess.start(kubeconfig, env);
});
afterAll(() => operator?.stop());

const path = () => `${paths.microservices(orders.namespace)}/${orders.name}`;
const conditionsOf = ({ status }: Wire): Wire =>
  Object.fromEntries((status?.conditions ?? []).map((condition: Wire) => [condition.type, condition]));

/** What the autoscaler says of itself. */
async function scalingActive(): Promise<Wire> {
  const { status } = await api.get(`${paths.autoscalers(orders.namespace)}/${orders.name}`);
  return status?.conditions?.find(({ type }: Wire) => type === 'ScalingActive');
}

test('a Microservice is Ready and stays so, and tells a person what to install, where nobody counts requests for its autoscaler', async () => {
  const autoscaling = { minReplicas: 2, maxReplicas: 4, requestsPerSecond: 100 };
  await api.post(paths.microservices(orders.namespace), microservice(orders, { autoscaling }));
  const ready = await eventually(
    async () => {
      await runPods(api, orders.namespace);
      const { Ready } = conditionsOf(await api.get(path()));
      expect(Ready).toMatchObject({ status: 'True', reason: 'Available' });
      return Ready;
    },
    { withinMs: 30_000 },
  );
  await eventually(
    async () => expect(await scalingActive()).toMatchObject({ status: 'False', reason: 'FailedGetPodsMetric' }),
    { withinMs: 30_000 },
  );
  expect(conditionsOf(await api.get(path())).AutoscalingInactive, 'at once').toBeUndefined();

  const told = await eventually(
    async () => {
      const found = await api.get(path());
      expect(conditionsOf(found).Ready).toEqual(ready);
      expect(conditionsOf(found).AutoscalingInactive).toMatchObject({
        status: 'True',
        reason: 'RequestRateMissing',
        message: expect.stringContaining('customMetrics.enabled=true'),
      });
      return found;
    },
    { withinMs: 120_000, everyMs: 1_000 },
  );
  expect(Object.keys(conditionsOf(told))).toEqual(['Ready', 'AutoscalingInactive']);

  await sleep(11_000); // two rounds of the autoscaler
  expect((await api.get(path())).metadata.resourceVersion, 'nothing is written meanwhile').toBe(
    told.metadata.resourceVersion,
  );
  await api.patch(path(), { spec: { autoscaling: null, replicas: 2 } });
  await eventually(async () => {
    await runPods(api, orders.namespace);
    expect(Object.keys(conditionsOf(await api.get(path())))).toEqual(['Ready']);
  });
}, 240_000);
