import { find, ofKind, platformNamespace, render, type Wire } from '../chart/rendered.ts';
import { kubeconfigOfAccount } from './account.ts';
import { api, plane } from './api-server.ts';

/** The operator as the chart installs it with these values, on the API server of the test file. */
export interface ChartOperator {
  /** A kubeconfig with the identity, and so the rights, that the chart gives it. */
  readonly kubeconfig: string;
  /** What the chart says in its environment, but for its port. */
  readonly env: Readonly<Record<string, string>>;
}

const rbac = '/apis/rbac.authorization.k8s.io/v1';

/** Makes the account of the operator, its roles and their bindings, and the namespace that they are in. */
export async function installChartOperator(values: object = {}): Promise<ChartOperator> {
  const objects = render(values);
  await api.post('/api/v1/namespaces', { metadata: { name: platformNamespace } });
  const account = find(objects, 'ServiceAccount', 'operator');
  await api.post(`/api/v1/namespaces/${platformNamespace}/serviceaccounts`, account);
  for (const role of ofKind(objects, 'ClusterRole')) await api.post(`${rbac}/clusterroles`, role);
  for (const binding of bindingsOf(objects, 'ClusterRoleBinding')) {
    await api.post(`${rbac}/clusterrolebindings`, binding);
  }
  for (const role of ofKind(objects, 'Role')) await api.post(`${rbac}/namespaces/${namespaceOf(role)}/roles`, role);
  for (const binding of bindingsOf(objects, 'RoleBinding')) {
    await api.post(`${rbac}/namespaces/${namespaceOf(binding)}/rolebindings`, binding);
  }
  return {
    kubeconfig: await kubeconfigOfAccount({ api, plane }, platformNamespace, 'operator'),
    env: environmentOf(find(objects, 'Deployment', 'operator')),
  };
}

/** The bindings whose subject is the account of the operator. */
function bindingsOf(objects: readonly Wire[], kind: string): readonly Wire[] {
  return ofKind(objects, kind).filter(({ subjects }) => subjects.some(({ name }: Wire) => name === 'operator'));
}

const namespaceOf = ({ metadata }: Wire): string => metadata.namespace ?? platformNamespace;

function environmentOf({ spec }: Wire): Readonly<Record<string, string>> {
  const { env } = spec.template.spec.containers[0];
  const textOf = ({ value, valueFrom }: Wire): string => {
    if (valueFrom === undefined) return value;
    const known: Readonly<Record<string, string>> = {
      'metadata.namespace': platformNamespace,
      'metadata.name': 'operator-0',
    };
    const text = known[valueFrom.fieldRef?.fieldPath];
    if (text !== undefined) return text;
    throw new Error(`no value is known for ${JSON.stringify(valueFrom)}`);
  };
  const entries = env.map((variable: Wire) => [variable.name, textOf(variable)]);
  return { ...Object.fromEntries(entries), OPERATOR_HTTP_PORT: '0' };
}
