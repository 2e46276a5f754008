import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './paths.ts';
import { run } from './run.ts';
import { tool } from './toolchain.ts';

/** One image that a cluster without a registry needs, built on this machine. */
export interface Image {
  readonly name: string;
  /** What manifests and values call it, without a tag; a local build takes its place. */
  readonly repository: string;
  readonly dockerfile: string;
  /** The image it stands on. */
  readonly base?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Files that go in, below the root of the clone; the image's tag is a hash of them. */
  readonly inputs?: readonly string[];
  /** Programs of the toolchain that go in, with the names they get. */
  readonly programs?: Readonly<Record<string, string>>;
  /** The workspaces whose production dependencies go in as node_modules. */
  readonly workspaces?: readonly string[];
}

/** Where the project's own images are published. */
export const ownImages = 'ghcr.io/microservice-platform';
const nodeProgram = `node_modules/node-linux-${process.arch}/bin/node`;

function packaged(name: string, repositoryName: string): Image {
  return {
    name,
    repository: repositoryName,
    dockerfile: `cluster/images/${name}/Dockerfile`,
    base: 'debian',
    inputs: [`cluster/images/${name}`],
  };
}

function program(name: string, repositoryName: string): Image {
  return {
    name,
    repository: repositoryName,
    dockerfile: 'cluster/images/program/Dockerfile',
    programs: { [name]: 'program' },
  };
}

export const serviceNames = [
  'api-gateway',
  'user-service',
  'product-service',
  'order-service',
  'inventory-service',
  'payment-service',
  'notification-service',
  'analytics-service',
] as const;
const serviceWorkspaces = ['common', ...serviceNames, 'loadgen'].map((name) => `services/${name}`);

function service(name: string): Image {
  return {
    name,
    repository: `${ownImages}/${name}`,
    dockerfile: 'services/Dockerfile',
    base: 'services',
    buildArgs: { SERVICE: name },
    inputs: [`services/${name}`],
  };
}

/** Every image of an embedded cluster. An image comes after the one it stands on. */
export const images: readonly Image[] = [
  program('pause', 'localhost/microservice-platform/pause'),
  program('coredns', 'registry.k8s.io/coredns/coredns'),
  program('metrics-server', 'registry.k8s.io/metrics-server/metrics-server'),
  {
    name: 'jaeger',
    repository: 'docker.io/jaegertracing/jaeger',
    dockerfile: 'cluster/images/jaeger/Dockerfile',
    programs: { jaeger: 'jaeger' },
  },
  {
    name: 'prometheus',
    repository: 'docker.io/prom/prometheus',
    dockerfile: 'cluster/images/prometheus/Dockerfile',
    programs: { prometheus: 'prometheus' },
  },
  {
    name: 'loki',
    repository: 'docker.io/grafana/loki',
    dockerfile: 'cluster/images/loki/Dockerfile',
    programs: { loki: 'loki' },
  },
  {
    name: 'alertmanager',
    repository: 'docker.io/prom/alertmanager',
    dockerfile: 'cluster/images/alertmanager/Dockerfile',
    programs: { alertmanager: 'alertmanager' },
  },
  {
    name: 'metrics-adapter',
    repository: 'registry.k8s.io/prometheus-adapter/prometheus-adapter',
    dockerfile: 'cluster/images/program/Dockerfile',
    programs: { adapter: 'program' },
  },
  packaged('postgresql', 'docker.io/library/postgres'),
  packaged('rabbitmq', 'docker.io/library/rabbitmq'),
  {
    name: 'node',
    repository: 'docker.io/library/node',
    dockerfile: 'cluster/images/node/Dockerfile',
    base: 'debian',
    inputs: [nodeProgram],
  },
  {
    name: 'operator',
    repository: `${ownImages}/operator`,
    dockerfile: 'operator/Dockerfile',
    base: 'node',
    inputs: ['operator'],
    workspaces: ['operator'],
  },
  {
    // What all services bring along, so that it is looked through and stored once.
    name: 'services',
    repository: 'localhost/microservice-platform/services',
    dockerfile: 'services/base.Dockerfile',
    base: 'node',
    inputs: ['services/common', 'services/product-service/proto'],
    workspaces: serviceWorkspaces,
  },
  ...serviceNames.map(service),
  service('loadgen'),
];

/** Fills the folder that an image is built from; `cache` keeps installed dependencies from one build to the next. */
export async function fillContext(image: Image, context: string, cache: string): Promise<void> {
  for (const input of image.inputs ?? []) {
    const inContext = input === nodeProgram ? 'node' : image.base === 'debian' ? '' : input;
    cpSync(join(repository, input), join(context, inContext), { recursive: true });
  }
  for (const [name, file] of Object.entries(image.programs ?? {})) cpSync(tool(name), join(context, file));
  if (image.workspaces) {
    const installed = await installDependencies(image.workspaces, cache);
    for (const part of ['package.json', 'node_modules']) {
      // Workspaces stay symbolic links: Node strips no types from files that are really below node_modules.
      cpSync(join(installed, part), join(context, part), { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** Installs what the lockfile says the workspaces need to run, and nothing else. Gives the folder. */
async function installDependencies(workspaces: readonly string[], cache: string): Promise<string> {
  // npm compares the lockfile with every workspace, also with those that it is not to install.
  const manifests = globSync('{package.json,package-lock.json,{operator,services/*}/package.json}', {
    cwd: repository,
  });
  const hash = createHash('sha256').update(workspaces.join());
  for (const file of manifests.sort()) hash.update(readFileSync(join(repository, file)));
  const folder = join(cache, `dependencies-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  for (const file of manifests) cpSync(join(repository, file), join(partial, file));
  const options = ['--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  const selected = workspaces.flatMap((workspace) => ['--workspace', workspace]);
  await run('npm', ['ci', ...options, '--include-workspace-root=false', ...selected], {
    cwd: partial,
    timeoutMs: 300_000,
  });
  renameSync(partial, folder);
  return folder;
}
