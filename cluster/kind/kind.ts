import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { client } from '../clients.ts';
import type { Cluster, References } from '../cluster.ts';
import { isCommand } from '../commands.ts';
import { startForwarding, stopForwarding } from '../forwarder.ts';
import { kubectl } from '../kubectl.ts';
import { userStateFolder } from '../paths.ts';
import { services, urlsIn } from '../ports.ts';
import type { Step } from '../progress.ts';
import { run } from '../run.ts';
import { buildTools } from '../toolchain.ts';
import { buildWithDocker } from './docker.ts';

const configuration = join(import.meta.dirname, 'kind.yaml');

/** The image of the node, as the committed configuration names it. */
export const nodeImage: () => string = () => parse(readFileSync(configuration, 'utf8')).nodes[0].image;

/** A cluster in a container of a Docker engine. */
export function kindCluster(name: string): Cluster {
  const folder = userStateFolder(`kind-${name}`);
  const kubeconfig = join(folder, 'kubeconfig');
  return {
    way: 'kind',
    name,
    kubeconfig,
    start: (step) => start(name, folder, kubeconfig, step),
    connect: () =>
      startForwarding(
        folder,
        services.map((service) => service.name),
      ),
    isRunning: () => existsSync(kubeconfig),
    urls: () => urlsIn(folder),
    stop: async () => {
      stopForwarding(folder);
      await kind(['delete', 'cluster', '--name', kindName(name)], 120_000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Among the clusters that somebody else made with kind. */
const kindName = (name: string) => `microservice-platform-${name}`;

const kind = (args: readonly string[], timeoutMs: number, onLine?: (line: string) => void) =>
  run(client('kind'), args, { timeoutMs, ...(onLine ? { onLine } : {}) });

async function start(name: string, folder: string, kubeconfig: string, step: Step): Promise<References> {
  if (!isCommand('kind')) await buildTools(step, 'kind');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const target = ['--name', kindName(name), '--kubeconfig', kubeconfig];
  if ((await kind(['get', 'clusters'], 20_000)).split('\n').includes(kindName(name))) {
    await kind(['export', 'kubeconfig', ...target], 20_000);
  } else {
    await step('start Kubernetes with kind', (note) =>
      kind(['create', 'cluster', ...target, '--config', configuration, '--wait', '120s'], 600_000, note),
    );
  }
  const references = await buildWithDocker(step);
  await step('bring the images into the cluster', (note) =>
    kind(['load', 'docker-image', '--name', kindName(name), ...references.values()], 300_000, note),
  );
  await step('install metrics', () => kubectl(kubeconfig).apply(metricsServer()));
  return references;
}

/** As on the embedded node, but for the kubelet's certificate, which kubeadm lets the kubelet sign itself. */
function metricsServer(): string {
  const manifest = readFileSync(join(import.meta.dirname, '../embedded/addons/metrics-server.yaml'), 'utf8');
  return manifest.replace(/--kubelet-certificate-authority=\S+/, '--kubelet-insecure-tls');
}
