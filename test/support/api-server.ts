import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { ObjectKey } from '../../operator/src/api/object.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { installDefinition, KubeApi, makeNamespace } from './kube-api.ts';

/** The control plane of this test file, and a client of its administrator; there once the first test begins. */
export let plane: ControlPlane;
export let api: KubeApi;
/** The Microservice that a test is about: `orders`, in a namespace that no other test uses. */
export let orders: ObjectKey;

/** Gives the test file an API server of its own that knows Microservices. Call it before any other hook. */
export function startApiServer(options?: Parameters<typeof startControlPlane>[0]): void {
  beforeAll(async () => {
    plane = await startControlPlane(options);
    api = new KubeApi(plane.kubeconfig);
    await installDefinition(api);
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    await plane?.stop();
  });
  beforeEach(async () => {
    orders = { namespace: await makeNamespace(api), name: 'orders' };
  });
}
