import { basename } from 'node:path';
import { alertFiles } from '../../dashboards/alerts/files.ts';
import { platformNamespace } from '../../manifests/install.ts';
import { cli, read } from './cluster.ts';

const rules = 'prometheus-alerts';

/**
 * Has the Prometheus of the cluster look at the same alerts with every time in them so many times shorter, until the end
 * of the block. It starts anew, and may have forgotten what was before.
 */
export async function fasterAlerts(faster: number): Promise<AsyncDisposable> {
  const { kind, apiVersion, data, metadata } = await read<ConfigMap>('configmap', platformNamespace, rules);
  const { name, namespace, labels, annotations } = metadata;
  const replaceBy = async (rulesNow: ConfigMap['data']) => {
    const object = { kind, apiVersion, metadata: { name, namespace, labels, annotations }, data: rulesNow };
    // In the name of Helm, which otherwise could not change it any more.
    await cli.run(['apply', '--server-side', '--field-manager=helm', '-f', '-'], 60_000, JSON.stringify(object));
    await restartPrometheus();
  };
  await replaceBy(Object.fromEntries(Object.entries(alertFiles(faster)).map(([path, text]) => [basename(path), text])));
  return { [Symbol.asyncDispose]: () => replaceBy(data) };
}

interface ConfigMap {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: Readonly<Record<'name' | 'namespace', string> & Record<'labels' | 'annotations', object>>;
  readonly data: Readonly<Record<string, string>>;
}

/** Gone first: a rollout would be the release's to undo. */
async function restartPrometheus(): Promise<void> {
  const pods = ['pod', '-n', platformNamespace, '-l', 'app.kubernetes.io/name=prometheus'];
  await cli.run(['delete', ...pods, '--wait'], 120_000);
  await cli.run(['rollout', 'status', 'deployment/prometheus', '-n', platformNamespace, '--timeout=180s'], 190_000);
}
