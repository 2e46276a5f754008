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

startApiServer();
beforeAll(async () => {
  proxy = await ApiProxy.start(plane.kubeconfig);
  operator = await OperatorProcess.start(proxy.kubeconfig);
});
afterAll(async () => {
  await operator?.stop();
  await proxy?.[Symbol.asyncDispose]();
});

const pathOf = (name: string) => `${paths.deployments(orders.namespace)}/${name}`;
const secondsOf = async (name: string): Promise<number> => (await api.get(pathOf(name))).spec.minReadySeconds ?? 0;

/** Claims a field of a Deployment for itself, as another controller would: whenever it is changed, it is changed back. */
function rival(name: string): () => Promise<number> {
  let claims = 0;
  let goesOn = true;
  const claiming = (async () => {
    while (goesOn) {
      if ((await secondsOf(name)) === 7) await sleep(5);
      else {
        await api.patch(pathOf(name), { spec: { minReadySeconds: 7 } });
        claims += 1;
      }
    }
    return claims;
  })();
  return () => {
    goesOn = false;
    return claiming;
  };
}

test('somebody who undoes every repair at once is met a bounded number of times, told of once, and holds nobody up', async () => {
  const other = { ...orders, name: 'other' };
  for (const key of [orders, other]) await api.post(paths.microservices(orders.namespace), microservice(key));
  await eventually(() => secondsOf('other'));
  const endOf = rival('orders');
  await sleep(3_000);
  await api.patch(pathOf('other'), { spec: { minReadySeconds: 7 } });
  await eventually(async () => expect(await secondsOf('other')).toBe(0), { withinMs: 2_000 });
  await sleep(3_000);
  const claims = await endOf();

  const applies = proxy.seen.filter(({ verb, name }) => verb === 'apply' && name === 'orders');
  expect(claims).toBeGreaterThan(15);
  expect(claims).toBeLessThanOrEqual(22);
  expect(applies.length).toBeLessThanOrEqual(30);
  const told = operator.log.filter(({ msg }) => String(msg).startsWith('somebody undoes every repair of a child'));
  expect(told).toMatchObject([{ level: 'warn', microservice: `${orders.namespace}/orders` }]);
  await eventually(async () => expect(await secondsOf('orders')).toBe(0), { withinMs: 12_000 });
}, 40_000);
