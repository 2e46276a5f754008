import { fromKubeconfig } from '../../operator/src/cluster/connection.ts';
import { Transport } from '../../operator/src/cluster/transport.ts';
import { kubeconfigOfAccount } from '../support/account.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { installDefinition, KubeApi } from '../support/kube-api.ts';
import { Outside } from './outside.ts';

/** A control plane to measure on, and the ways to it. */
export interface Bed extends AsyncDisposable {
  /** The administrator, for what is not measured. */
  readonly api: KubeApi;
  /** The user whose Microservices these are. He speaks to the API server as the operator does, over as many connections. */
  readonly user: Transport;
  /** The kubeconfig of the operator. */
  readonly kubeconfig: string;
  /** What the user sees of the cluster. */
  readonly outside: Outside;
  readonly kubernetes: string;
}

const namespace = 'bench';

/** Starts a control plane without any controllers: nothing in it writes but the operator and the user. */
export async function makeBed(): Promise<Bed> {
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const api = stack.use(new KubeApi(plane.kubeconfig));
  await installDefinition(api);
  await api.post('/api/v1/namespaces', { metadata: { name: namespace } });
  const kubeconfig = await accountOf(api, plane, 'operator');
  const user = new Transport(await fromKubeconfig(await accountOf(api, plane, 'user')));
  stack.defer(() => user.close(100));
  const outside = stack.use(await Outside.open(user));
  const { gitVersion: kubernetes } = await api.get('/version');
  const whole = stack.move();
  return { api, user, kubeconfig, outside, kubernetes, [Symbol.asyncDispose]: () => whole.disposeAsync() };
}

/**
 * The kubeconfig of an account that may do everything. An account, because the API server gives administrators a
 * queue of their own, in which no operator ever stands.
 */
async function accountOf(api: KubeApi, plane: ControlPlane, name: string): Promise<string> {
  await api.post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  await api.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: `${namespace}-${name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace, name }],
  });
  return kubeconfigOfAccount({ api, plane }, namespace, name);
}
