import { contextCluster } from '../../cluster/context/context.ts';
import { embeddedCluster } from '../../cluster/embedded/embedded.ts';
import { kindCluster } from '../../cluster/kind/kind.ts';
import { kubectl } from '../../cluster/kubectl.ts';

/** The cluster that the end-to-end tests run on: `make test` starts one of its own, `make e2e` is told of one. */
export const cluster = clusterOf(process.env.E2E_CLUSTER ?? 'default', process.env.CONTEXT);

function clusterOf(name: string, context: string | undefined) {
  if (context !== undefined) return contextCluster(context, process.env.REGISTRY);
  const kind = kindCluster(name);
  return kind.isRunning() ? kind : embeddedCluster(name);
}

export const cli = kubectl(cluster.kubeconfig);

/** The loopback URL of a Service of the cluster. */
export function url(service: string): string {
  const found = cluster.urls().get(service);
  if (found === undefined) throw new Error(`the cluster ${cluster.name} does not run; start it with make up`);
  return found;
}

/** One object as the API server has it. */
export async function read<T>(kind: string, namespace: string, name: string): Promise<T> {
  return JSON.parse(await cli.get([kind, name, '-n', namespace, '-o', 'json']));
}

/** What the API server has of a kind. */
export async function list<T>(kind: string, namespace: string, ...options: string[]): Promise<readonly T[]> {
  return (JSON.parse(await cli.get([kind, '-n', namespace, '-o', 'json', ...options])) as { items: T[] }).items;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

export interface MicroserviceObject {
  readonly metadata: { readonly name: string; readonly generation: number; readonly resourceVersion: string };
  readonly status: { readonly observedGeneration: number; readonly conditions?: readonly Condition[] };
}

export const conditionOf = (object: MicroserviceObject, type: string) =>
  object.status.conditions?.find((condition) => condition.type === type);
