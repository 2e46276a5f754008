import type { KubeObject } from '../../operator/src/api/object.ts';
import { post } from '../../operator/src/cluster/resource.ts';
import { makeNamespace } from '../support/kube-api.ts';
import type { Bed } from './bed.ts';
import { sideBySide } from './side-by-side.ts';

/** Kinds of which a cluster is full, and which are none of the operator's business. */
export const foreignKinds = ['Pod', 'Secret', 'ConfigMap'] as const;
export type ForeignKind = (typeof foreignKinds)[number];

const content: Readonly<Record<ForeignKind, object>> = {
  Pod: { spec: { containers: [{ name: 'main', image: 'example.test/foreign:1.0.0' }] } },
  Secret: { stringData: { password: 'x'.repeat(200) } },
  ConfigMap: { data: { text: 'x'.repeat(200) } },
};

/** Fills a namespace of its own with so many objects of others. */
export async function addForeign({ api, user }: Bed, kind: ForeignKind, count: number): Promise<void> {
  const namespace = await makeNamespace(api);
  // Without an account no pod is let in; there is no controller that would make it.
  await api.post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
  const objects = Array.from({ length: count }, (_, i): KubeObject => {
    const metadata = { namespace, name: `foreign-${i}`, labels: { 'app.kubernetes.io/name': 'foreign' } };
    return { apiVersion: 'v1', kind, metadata, ...content[kind] };
  });
  await sideBySide(objects, (object) => post(user, object));
}
