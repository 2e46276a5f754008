import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane } from './control-plane.ts';
import { type KubeApi, readKubeconfig } from './kube-api.ts';

/** Writes a kubeconfig that holds nothing but a token of an account, into the folder of the control plane; gives its path. */
export async function kubeconfigOfAccount(
  { api, plane }: { readonly api: KubeApi; readonly plane: ControlPlane },
  namespace: string,
  name: string,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status } = await api.post(path, { spec: { expirationSeconds: 3600 } });
  const { server, ca } = readKubeconfig(plane.kubeconfig);
  const file = join(plane.folder, `${namespace}-${name}.kubeconfig`);
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'it',
    clusters: [{ name: 'it', cluster: { server, 'certificate-authority-data': ca.toString('base64') } }],
    users: [{ name: 'it', user: { token: status.token } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
  };
  writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
  return file;
}
