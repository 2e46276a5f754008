import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Cluster, References } from '../cluster.ts';
import { kubeconfigOf, prepareControlPlane } from '../control-plane.ts';
import { buildAll, type LocalImages } from '../images.ts';
import { kubectl } from '../kubectl.ts';
import { repository, stateFolder } from '../paths.ts';
import { choosePorts, type Forward, services, urlOf, urlsIn } from '../ports.ts';
import { processesOf, signal } from '../processes.ts';
import type { Step } from '../progress.ts';
import { run } from '../run.ts';
import { tool } from '../toolchain.ts';
import { waitFor } from '../wait-for.ts';
import { addons } from './addons.ts';
import { removeCgroups } from './cgroups.ts';
import { addresses, cgroupOf, containerdSocket, layoutOf } from './layout.ts';
import { prepareNode } from './node-programs.ts';

const supervisor = join(import.meta.dirname, 'supervisor.ts');
const node = join(import.meta.dirname, 'node.ts');

/** A cluster of one node on this machine: Linux and root, no Docker, no registry. */
export function embeddedCluster(name: string): Cluster {
  const kubeconfig = join(stateFolder(name), 'kubeconfig');
  return {
    way: 'embedded',
    name,
    kubeconfig,
    isRunning: () => processesOf(program(supervisor), name).length > 0,
    start: (step) => start(name, kubeconfig, step),
    connect: async () => {},
    urls: () => urlsIn(stateFolder(name)),
    stop: () => stop(name),
  };
}

/** A program of the project as any clone of it is found in a list of processes. */
const program = (path: string) => `/${relative(repository, path)}`;

async function start(name: string, kubeconfig: string, step: Step): Promise<References> {
  const images = await buildAll(step);
  if (!(await answers(kubeconfig))) {
    if (existsSync(stateFolder(name))) await step('remove what an earlier cluster left', () => stop(name));
    await step('start Kubernetes', () => startProcesses(name, kubeconfig, images));
  }
  const present = await imagesIn(name);
  if ([...images.references.values()].some((image) => !present.has(image))) {
    await step('bring the images into the cluster', () => loadImages(name, images.archive));
  }
  await step('install DNS, metrics and storage', async () => {
    const { apply, waitFor } = kubectl(kubeconfig);
    await apply(addons(name, images.references));
    await waitFor('deployment/coredns', 'Available', { namespace: 'kube-system', timeoutMs: 120_000 });
  });
  return images.references;
}

async function startProcesses(name: string, kubeconfig: string, images: LocalImages): Promise<void> {
  const folder = stateFolder(name);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  await prepareControlPlane(layoutOf(name));
  prepareNode(name, images.references.get('localhost/microservice-platform/pause') ?? '');
  writeKubeconfig(kubeconfig, name, await choosePorts(folder, forwards));
  const log = openSync(join(folder, 'supervisor.log'), 'a');
  spawn(process.execPath, [supervisor, name], { detached: true, stdio: ['ignore', log, log] }).unref();
  const logs = `(logs: ${join(folder, 'logs')})`;
  await waitFor(`the API server ${logs}`, () => answers(kubeconfig), { timeoutMs: 120_000 });
  await waitFor(`containerd ${logs}`, async () => existsSync(containerdSocket(name)));
}

/** The node forwards by itself. There is no image of Grafana to be built, so nothing to reach either. */
const forwards: readonly Forward[] = [
  { name: 'kubernetes', port: 16443, target: `${addresses.node}:6443` },
  ...services.filter(({ name }) => name !== 'grafana'),
];

function writeKubeconfig(file: string, name: string, forwards: readonly Forward[]): void {
  const kubeconfig = JSON.parse(readFileSync(kubeconfigOf(layoutOf(name), 'admin'), 'utf8'));
  const forward = forwards.find((each) => each.name === 'kubernetes');
  if (forward) kubeconfig.clusters[0].cluster.server = urlOf(forward);
  writeFileSync(file, JSON.stringify(kubeconfig, null, 2), { mode: 0o600 });
}

async function answers(kubeconfig: string): Promise<boolean> {
  if (!existsSync(kubeconfig)) return false;
  return (
    (await kubectl(kubeconfig)
      .get(['--raw', '/readyz'], 5000)
      .catch(() => '')) === 'ok'
  );
}

const ctr = (name: string, ...args: string[]) =>
  run(tool('ctr'), ['-a', containerdSocket(name), '-n', 'k8s.io', 'images', ...args], { timeoutMs: 300_000 });

const loadImages = (name: string, archive: string) => ctr(name, 'import', archive);

const imagesIn = async (name: string) => new Set((await ctr(name, 'ls', '-q')).split('\n'));

/**
 * Ends the processes, and with them namespaces, mounts and interfaces; removes cgroups and the folder.
 * @throws Error naming what could not be removed
 */
async function stop(name: string): Promise<void> {
  const alive = () => [...processesOf(program(supervisor), name), ...processesOf(program(node), name)];
  signal(alive(), 'SIGKILL');
  await waitFor('the end of the processes', async () => alive().length === 0, { timeoutMs: 30_000 });
  const empty = async () => removeCgroups(cgroupOf(name)).length === 0;
  await waitFor(`empty cgroups named ${cgroupOf(name)}`, empty, { timeoutMs: 30_000 });
  rmSync(stateFolder(name), { recursive: true, force: true, maxRetries: 5 });
  const all = dirname(stateFolder(name));
  if (existsSync(all) && readdirSync(all).length === 0) rmdirSync(all);
}
