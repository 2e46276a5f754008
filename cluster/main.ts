// The commands behind the Makefile: each takes the name of a cluster.

import { tmpdir } from 'node:os';
import { installPlatform } from '../manifests/install.ts';
import { prove } from '../manifests/proof.ts';
import type { Cluster } from './cluster.ts';
import { embeddedCluster } from './embedded/embedded.ts';
import { explained } from './explain.ts';
import { buildImages, makeBase } from './images.ts';
import { endOnInterrupt } from './interrupt.ts';
import { kubectl } from './kubectl.ts';
import { examine } from './machine.ts';
import { installPackages } from './packages.ts';
import { cacheFolder, stateFolder } from './paths.ts';
import { checkName, faultsOf } from './preflight.ts';
import { progress, standardError } from './progress.ts';
import { buildTools, tool } from './toolchain.ts';

const step = progress(standardError(), Date.now);

const commands: Readonly<Record<string, (cluster: Cluster) => Promise<void>>> = {
  tools: async () => {
    await installPackages(step, { tests: true });
    await buildTools(step);
  },
  up: async (cluster) => {
    await refuseHere(cluster);
    await installPackages(step, { tests: false });
    // What needs a package to be tried is tried now, before minutes of compiling.
    await refuseHere(cluster);
    // Compiling keeps the processors busy, the base of the images the network.
    await Promise.all([buildTools(step), makeBase(step)]);
    const images = await buildImages(step);
    await cluster.start(images, step);
    await installPlatform(cluster, images, step);
    const proof = await step('place an order and find its trace and counters', () => prove(cluster.urls()));
    console.log(['', ...proof, '', ...urlLines(cluster), '', noInterface].join('\n'));
  },
  down: async (cluster) => {
    if (process.getuid?.() !== 0) throw new Error('not root: run it as root, for example with sudo');
    await step(`remove the cluster ${cluster.name}`, () => cluster.stop());
    console.log(
      `Nothing of the cluster ${cluster.name} is left: no process, mount, interface, cgroup or file. The cache stays.`,
    );
  },
  status: async (cluster) => {
    if (!cluster.isRunning()) {
      console.log(`The cluster ${cluster.name} does not run; make up starts it.`);
      return;
    }
    const pods = await kubectl(cluster.kubeconfig).get(['microservices,pods', '-A']);
    console.log([...urlLines(cluster), '', pods].join('\n'));
  },
  urls: async (cluster) => console.log(urlLines(running(cluster)).join('\n')),
  kubeconfig: async (cluster) => console.log(running(cluster).kubeconfig),
  kubectl: async () => console.log(tool('kubectl')),
};

const noInterface =
  'Jaeger was built from its Go module, which has no user interface: its address above is that of its API.';

function urlLines(cluster: Cluster): string[] {
  return [...cluster.urls()].map(([name, url]) => `${name} ${url}`);
}

function running(cluster: Cluster): Cluster {
  if (!cluster.isRunning()) throw new Error(`the cluster ${cluster.name} does not run; make up starts it`);
  return cluster;
}

async function refuseHere(cluster: Cluster): Promise<void> {
  const faults = faultsOf(await examine({ name: cluster.name, runs: cluster.isRunning() }));
  if (faults.length > 0)
    throw new Error(
      `no cluster can be had on this machine yet:\n${faults.map(({ text }) => `- ${text}`).join('\n')}\nEach is explained in docs/troubleshooting.md.`,
    );
}

const [command = '', name = 'default'] = process.argv.slice(2);
const { interrupted } = endOnInterrupt(
  `interrupted: make ${command} goes on where it stopped, make down removes what there is`,
);
try {
  const action = commands[command];
  if (action === undefined) throw new Error(`use one of: ${Object.keys(commands).join(', ')}`);
  await action(embeddedCluster(checkName(name)));
} catch (error) {
  if (interrupted()) process.exit(130);
  console.error(`make ${command}: ${explained(error, [cacheFolder(process.env), stateFolder(name), tmpdir()])}`);
  process.exitCode = 1;
}
