import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfigOf, prepareControlPlane } from '../control-plane.ts';
import { eventually } from '../eventually.ts';
import { stateFolder } from '../paths.ts';
import { run } from '../run.ts';
import { tool } from '../toolchain.ts';
import { removeCgroups } from './cgroups.ts';
import { cgroupOf, containerdSocket, layoutOf } from './layout.ts';
import { prepareNode } from './node-programs.ts';
import { choosePorts, type Forward, forwardsOf } from './ports.ts';
import { processesOf } from './processes.ts';

const supervisor = join(import.meta.dirname, 'supervisor.ts');
const node = join(import.meta.dirname, 'node.ts');

/** The kubeconfig with which the machine's user reaches the cluster. */
export const kubeconfigFile = (name: string) => join(stateFolder(name), 'kubeconfig');

/** Whether the cluster's processes run. */
export const isRunning = (name: string) => processesOf(supervisor, name).length > 0;

/**
 * Starts the cluster of that name, or does nothing when it runs. What an interrupted start or a lost machine left
 * behind is removed first.
 */
export async function startEmbedded(name: string, pauseImage: string): Promise<void> {
  if (isRunning(name) && (await answers(name))) return;
  if (existsSync(stateFolder(name))) await stopEmbedded(name);
  const folder = stateFolder(name);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  await prepareControlPlane(layoutOf(name));
  prepareNode(name, pauseImage);
  writeKubeconfig(name, await choosePorts(name));
  const log = openSync(join(folder, 'supervisor.log'), 'a');
  spawn(process.execPath, [supervisor, name], { detached: true, stdio: ['ignore', log, log] }).unref();
  await eventually(`the API server (logs: ${join(folder, 'logs')})`, () => answers(name), {
    timeoutMs: 120_000,
  });
  await eventually(`containerd (logs: ${join(folder, 'logs')})`, async () =>
    existsSync(containerdSocket(name)),
  );
}

function writeKubeconfig(name: string, forwards: readonly Forward[]): void {
  const kubeconfig = JSON.parse(readFileSync(kubeconfigOf(layoutOf(name), 'admin'), 'utf8'));
  const port = forwards.find((forward) => forward.name === 'kubernetes')?.port;
  kubeconfig.clusters[0].cluster.server = `https://127.0.0.1:${port}`;
  writeFileSync(kubeconfigFile(name), JSON.stringify(kubeconfig, null, 2), { mode: 0o600 });
}

async function answers(name: string): Promise<boolean> {
  const said = await run(tool('kubectl'), ['--kubeconfig', kubeconfigFile(name), 'get', '--raw', '/readyz'], {
    timeoutMs: 5000,
  }).catch(() => '');
  return said === 'ok';
}

/** Brings images into the cluster from an archive with any number of them. */
export async function loadImages(name: string, archive: string): Promise<void> {
  await run(tool('ctr'), ['-a', containerdSocket(name), '-n', 'k8s.io', 'images', 'import', archive], {
    timeoutMs: 300_000,
  });
}

/** The names of the images that the cluster holds. */
export async function imagesIn(name: string): Promise<ReadonlySet<string>> {
  const list = await run(tool('ctr'), ['-a', containerdSocket(name), '-n', 'k8s.io', 'images', 'ls', '-q']);
  return new Set(list.split('\n'));
}

/** The loopback addresses that lead into the cluster. */
export function forwards(name: string): readonly Forward[] {
  return forwardsOf(name) ?? [];
}

/**
 * Ends the cluster and removes all that it made: processes, and with them namespaces, mounts and interfaces; cgroups;
 * its folder.
 * @throws Error naming what could not be removed
 */
export async function stopEmbedded(name: string): Promise<void> {
  for (const pid of [...processesOf(supervisor, name), ...processesOf(node, name)]) kill(pid);
  await eventually(
    'the end of the processes',
    async () => processesOf(supervisor, name).length + processesOf(node, name).length === 0,
    { timeoutMs: 30_000 },
  );
  await eventually(
    `empty cgroups named ${cgroupOf(name)}`,
    async () => removeCgroups(cgroupOf(name)).length === 0,
    {
      timeoutMs: 30_000,
    },
  );
  rmSync(stateFolder(name), { recursive: true, force: true });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
