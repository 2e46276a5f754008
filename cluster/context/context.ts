import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uninstallPlatform } from '../../manifests/install.ts';
import { client } from '../clients.ts';
import type { Cluster, References } from '../cluster.ts';
import { startForwarding, stopForwarding } from '../forwarder.ts';
import { type Kubectl, kubectl } from '../kubectl.ts';
import { userStateFolder } from '../paths.ts';
import { services, urlsIn } from '../ports.ts';
import type { Step } from '../progress.ts';
import { published } from '../registry.ts';
import { run } from '../run.ts';

/** The oldest version of Kubernetes whose API the platform is written for. */
const oldest = { major: 1, minor: 34 };

/**
 * A cluster that somebody has, named by a context of their kubeconfig. It alone is talked to: what is used afterwards
 * is a copy of that one context.
 */
export function contextCluster(context: string, registry: string | undefined): Cluster {
  const folder = userStateFolder(`context-${slugOf(context)}`);
  const kubeconfig = join(folder, 'kubeconfig');
  return {
    way: 'context',
    name: context,
    kubeconfig,
    start: (step) => start(context, registry, folder, kubeconfig, step),
    connect: () => startForwarding(folder, servicesWith(registry)),
    isRunning: () => existsSync(kubeconfig),
    urls: () => urlsIn(folder),
    stop: async () => {
      stopForwarding(folder);
      if (!existsSync(kubeconfig)) await copyContext(context, folder, kubeconfig);
      await uninstallPlatform(kubeconfig);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A context's name may hold anything; a folder's may not. */
const slugOf = (context: string) =>
  `${context.replaceAll(/[^A-Za-z0-9.-]/g, '_').slice(0, 40)}-${createHash('sha256').update(context).digest('hex').slice(0, 8)}`;

/** Where every image comes from one registry there is no Grafana, of which no image can be built. */
function servicesWith(registry: string | undefined): string[] {
  const noGrafana = registry !== undefined && published(registry).has('docker.io/prom/prometheus');
  return services.map(({ name }) => name).filter((name) => !(noGrafana && name === 'grafana'));
}

async function start(
  context: string,
  registry: string | undefined,
  folder: string,
  kubeconfig: string,
  step: Step,
): Promise<References> {
  if (registry === undefined) {
    throw new Error(
      `CONTEXT=${context} needs REGISTRY=host/path, a registry that the cluster can pull from: make images REGISTRY=host/path PUSH=1 puts the images there`,
    );
  }
  const references = published(registry);
  const known = existsSync(kubeconfig);
  await copyContext(context, folder, kubeconfig);
  await step(`look at the cluster of the context ${context}`, () =>
    checkCluster(context, kubectl(kubeconfig)).catch((error: unknown) => {
      // Of a cluster that is not used no credentials are kept.
      if (!known) rmSync(folder, { recursive: true, force: true });
      throw error;
    }),
  );
  return references;
}

/** @throws Error that lists the contexts there are when that one is not among them */
async function copyContext(context: string, folder: string, kubeconfig: string): Promise<void> {
  const config = (...args: string[]) => run(client('kubectl'), ['config', ...args], { timeoutMs: 10_000 });
  const contexts = (await config('get-contexts', '--output=name')).split('\n').filter((line) => line !== '');
  if (!contexts.includes(context)) {
    throw new Error(
      `CONTEXT=${context}: your kubeconfig has no such context; it has ${contexts.join(', ') || 'none'} (kubectl config get-contexts)`,
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const copy = await config('view', '--minify', '--flatten', '--raw', `--context=${context}`, '--output=json');
  writeFileSync(kubeconfig, copy, { mode: 0o600 });
}

async function checkCluster(context: string, cli: Kubectl): Promise<void> {
  const version = await cli.get(['--raw', '/version', '--request-timeout=10s'], 15_000).catch((error: Error) => {
    throw new Error(`the API server of the context ${context} does not answer: ${error.message}`);
  });
  const { major, minor } = JSON.parse(version) as { major: string; minor: string };
  if (Number(major) === oldest.major && Number.parseInt(minor, 10) < oldest.minor) {
    throw new Error(
      `the cluster runs Kubernetes ${major}.${minor}: the platform needs ${oldest.major}.${oldest.minor} or newer`,
    );
  }
  const classes = JSON.parse(await cli.get(['storageclasses', '--output=json'])) as {
    items: { metadata: { annotations?: Record<string, string> } }[];
  };
  const isDefault = 'storageclass.kubernetes.io/is-default-class';
  if (!classes.items.some(({ metadata }) => metadata.annotations?.[isDefault] === 'true')) {
    throw new Error(
      `the cluster has no default StorageClass, and PostgreSQL and RabbitMQ need volumes: annotate one with ${isDefault}=true`,
    );
  }
  await cli.get(['--raw', '/apis/metrics.k8s.io/v1beta1'], 15_000).catch(() => {
    console.error(
      '    the cluster has no metrics API: autoscaling by CPU will not move before a metrics-server is there',
    );
  });
}
