import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiProxy } from '../support/api-proxy.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';

let proxy: ApiProxy;
let operator: OperatorProcess;

startApiServer({ controllerManager: true });
beforeAll(async () => {
  proxy = await ApiProxy.start(plane.kubeconfig);
  operator = await OperatorProcess.start(proxy.kubeconfig);
});
afterAll(async () => {
  await operator?.stop();
  await proxy?.[Symbol.asyncDispose]();
});

const services = async () => (await api.get(paths.services(orders.namespace))).items;

test('children that went with their Microservice are not made anew, though the operator has not heard that it is gone', async () => {
  const path = `${paths.microservices(orders.namespace)}/orders`;
  await api.post(paths.microservices(orders.namespace), microservice(orders));
  await eventually(async () => expect((await api.get(path)).status.children).toHaveLength(4));
  proxy.freezeWatches('microservices');
  await api.delete(path);
  await eventually(async () => expect(await services()).toEqual([]), { withinMs: 30_000 });
  const gone = performance.now();
  await sleep(3_000);

  expect(proxy.writes().filter(({ at }) => at > gone)).toEqual([]);
  expect(await services()).toEqual([]);
}, 60_000);
