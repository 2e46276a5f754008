// The commands behind the Makefile: each takes the name of a cluster.

import { tmpdir } from 'node:os';
import { bringsGrafana, installPlatform } from '../manifests/install.ts';
import { prove } from '../manifests/proof.ts';
import { shopToken } from '../manifests/token.ts';
import { client, missingClients } from './clients.ts';
import type { Cluster } from './cluster.ts';
import { contextCluster } from './context/context.ts';
import { embeddedCluster } from './embedded/embedded.ts';
import { explained } from './explain.ts';
import { buildAll } from './images.ts';
import { endOnInterrupt } from './interrupt.ts';
import { dockerAnswers, dockerHas } from './kind/docker.ts';
import { kindCluster, nodeImage } from './kind/kind.ts';
import { kubectl } from './kubectl.ts';
import { examine } from './machine.ts';
import { installPackages } from './packages.ts';
import { cacheFolder, stateFolder } from './paths.ts';
import { checkName, type Fault, faultsOf } from './preflight.ts';
import { progress, standardError } from './progress.ts';
import { checkRegistry, publish } from './registry.ts';
import { buildTools } from './toolchain.ts';
import { chooseWay } from './way.ts';

const step = progress(standardError(), Date.now);

const commands: Readonly<Record<string, (cluster: Cluster) => Promise<void>>> = {
  up: async (cluster) => {
    if (cluster.way === 'embedded') await prepareMachine(cluster);
    else refuse(missingClients());
    const images = await cluster.start(step);
    if (!bringsGrafana(images)) console.error(noGrafana);
    await installPlatform(cluster, images, step);
    await cluster.connect();
    const proof = await step('place an order and find its trace and counters', () => prove(cluster.urls()));
    const remarks = cluster.way === 'embedded' ? ['', noInterface] : [];
    console.log(['', ...proof, '', ...urlLines(cluster), ...remarks].join('\n'));
  },
  down: async (cluster) => {
    if (cluster.way === 'embedded' && process.getuid?.() !== 0)
      throw new Error('not root: run it as root, for example with sudo');
    await step(`remove ${described(cluster)}`, () => cluster.stop());
    console.log(farewells[cluster.way](cluster.name));
  },
  status: async (cluster) => {
    if (!cluster.isRunning()) {
      console.log(`${described(cluster)} does not run; make up starts it.`);
      return;
    }
    const pods = await kubectl(cluster.kubeconfig).get(['microservices,pods', '-A']);
    console.log([...urlLines(cluster), '', pods].join('\n'));
  },
  urls: async (cluster) => console.log(urlLines(running(cluster)).join('\n')),
  kubeconfig: async (cluster) => console.log(running(cluster).kubeconfig),
  token: async (cluster) =>
    console.log(await shopToken(running(cluster).kubeconfig, { scopes: SCOPES, subject: SUBJECT })),
};

/** Those that need no cluster. */
const otherCommands: Readonly<Record<string, () => Promise<void>>> = {
  tools: async () => {
    await installPackages(step, { tests: true });
    await buildTools(step);
  },
  kubectl: async () => console.log(client('kubectl')),
  images: async () => {
    const registry = REGISTRY && checkRegistry(REGISTRY);
    if (PUSH && !registry) throw new Error('PUSH=1 needs REGISTRY=host/path');
    refuse(faultsOf(await examine({ name: 'images', runs: true })));
    await installPackages(step, { tests: false });
    const { references: images } = await buildAll(step);
    if (!PUSH || !registry) {
      console.log([...images.values()].join('\n'));
      return;
    }
    const { values, shop } = await publish(images, registry, Boolean(THIRD_PARTY), step);
    console.log(`values of the chart: ${values}\nthe shop: ${shop}\nor: make up CONTEXT=name REGISTRY=${registry}`);
  },
};

/** Asked for in the environment, as make hands on what is set on its command line. */
const { CONTEXT, REGISTRY, WAY, PUSH, THIRD_PARTY, SCOPES, SUBJECT } = process.env;

async function prepareMachine(cluster: Cluster): Promise<void> {
  const look = async () => refuse(faultsOf(await examine({ name: cluster.name, runs: cluster.isRunning() })));
  await look();
  await installPackages(step, { tests: false });
  // What needs a package to be tried is tried now, before minutes of compiling.
  await look();
}

function refuse(faults: readonly Pick<Fault, 'text'>[]): void {
  if (faults.length === 0) return;
  throw new Error(
    `no cluster can be had on this machine yet:\n${faults.map(({ text }) => `- ${text}`).join('\n')}\nEach is explained in docs/troubleshooting.md.`,
  );
}

/** The cluster that the command is about. `up` says why it is had the way it is. */
async function clusterOf(command: string, name: string): Promise<Cluster> {
  const [embedded, kind] = [embeddedCluster(checkName(name)), kindCluster(checkName(name))];
  const present = [embedded, kind]
    .filter((cluster) => cluster.isRunning())
    .map(({ way }) => way as 'embedded' | 'kind');
  const { way, because } = await chooseWay({
    ...(CONTEXT ? { context: CONTEXT } : {}),
    ...(WAY ? { asked: WAY } : {}),
    existing: present,
    // Only `up` may find a new cluster, and so a new way. The others take what is said.
    dockerAnswers: async () => (command === 'up' ? dockerAnswers() : WAY === 'kind'),
    nodeImageIsHad: async () => command !== 'up' || dockerHas(nodeImage(), step),
  });
  if (command === 'up' && CONTEXT === undefined) console.error(`    cluster: ${way}, as ${because}`);
  return { embedded, kind, context: contextCluster(CONTEXT ?? '', REGISTRY && checkRegistry(REGISTRY)) }[way];
}

const described = ({ way, name }: Cluster) =>
  way === 'context' ? `the platform on the cluster of the context ${name}` : `the cluster ${name}`;

const farewells = {
  embedded: (name: string) =>
    `Nothing of the cluster ${name} is left: no process, mount, interface, cgroup or file. The cache stays.`,
  kind: (name: string) => `Nothing of the cluster ${name} is left. The images stay with Docker.`,
  context: (name: string) =>
    `The platform and the shop are gone from the cluster of the context ${name}; the rest was not touched.`,
} as const;

const noGrafana = '    Grafana is left out: its image is only in container registries, and the images here were built';
const noInterface =
  'Jaeger was built from its Go module, which has no user interface: its address above is that of its API.';

function urlLines(cluster: Cluster): string[] {
  return [...cluster.urls()].map(([name, url]) => `${name} ${url}`);
}

function running(cluster: Cluster): Cluster {
  if (!cluster.isRunning()) throw new Error(`the cluster ${cluster.name} does not run; make up starts it`);
  return cluster;
}

const [command = '', name = 'default'] = process.argv.slice(2);
const { interrupted } = endOnInterrupt(
  `interrupted: make ${command} goes on where it stopped, make down removes what there is`,
);
try {
  const [action, other] = [commands[command], otherCommands[command]];
  if (action) await action(await clusterOf(command, name));
  else if (other) await other();
  else throw new Error(`use one of: ${Object.keys({ ...commands, ...otherCommands }).join(', ')}`);
} catch (error) {
  if (interrupted()) process.exit(130);
  console.error(`make ${command}: ${explained(error, [cacheFolder(process.env), stateFolder(name), tmpdir()])}`);
  process.exitCode = 1;
}
