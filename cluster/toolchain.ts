import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { completedModule, type Lacking } from './completed-module.ts';
import { alone } from './lock.ts';
import { cacheFolder, repository } from './paths.ts';
import type { Step } from './progress.ts';
import { run } from './run.ts';

/** One Go module below cluster/go, and the programs that are built from it in one go. */
interface GoModule {
  readonly folder: string;
  readonly packages: readonly string[];
  readonly ldflags?: string;
  readonly tags?: string;
  /** The way to a cluster that it is for; without, the embedded one. */
  readonly way?: 'kind';
  /** What has to be put into one of its modules before it can be built. */
  readonly lacking?: Lacking;
  /** Further names of a program that acts by the name it is called under. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
}

/** The version of Kubernetes that an embedded cluster runs. */
export const kubernetesVersion = 'v1.36.3';

const modules: readonly GoModule[] = [
  {
    folder: 'kubernetes',
    packages: ['.', './coredns', 'sigs.k8s.io/metrics-server/cmd/metrics-server', 'helm.sh/helm/v4/cmd/helm'],
    ldflags: ['gitVersion=v1.36.3', 'gitMajor=1', 'gitMinor=36']
      .map((pair) => `-X k8s.io/component-base/version.${pair}`)
      .join(' '),
    aliases: {
      kubernetes: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet', 'kubectl'],
    },
  },
  { folder: 'etcd', packages: ['.'] },
  {
    folder: 'containerd',
    packages: ['containerd', 'containerd-shim-runc-v2', 'ctr'].map(
      (name) => `github.com/containerd/containerd/v2/cmd/${name}`,
    ),
  },
  {
    folder: 'prometheus',
    packages: ['prometheus', 'promtool'].map((name) => `github.com/prometheus/prometheus/cmd/${name}`),
    // Of the ways to find what to scrape only Kubernetes' is compiled in.
    ldflags: '-X github.com/prometheus/common/version.Version=3.15.0',
    tags: 'remove_all_sd,enable_kubernetes_sd',
  },
  {
    folder: 'alertmanager',
    packages: ['alertmanager', 'amtool'].map((name) => `github.com/prometheus/alertmanager/cmd/${name}`),
    ldflags: '-X github.com/prometheus/common/version.Version=0.34.2',
    // Its pages are built by another toolchain, and are not in the module; what it embeds has to be there all the same.
    lacking: {
      module: 'github.com/prometheus/alertmanager',
      files: {
        'ui/app/dist/index.html.gz':
          '<!doctype html><title>Alertmanager</title><p>Built without its pages. The API is at <a href="api/v2/alerts">api/v2/alerts</a>.\n',
      },
    },
  },
  { folder: 'jaeger', packages: ['github.com/jaegertracing/jaeger/cmd/jaeger'] },
  {
    folder: 'loki',
    packages: ['github.com/grafana/loki/v3/cmd/loki'],
    ldflags: '-X github.com/grafana/loki/v3/pkg/util/build.Version=3.7.8',
  },
  {
    folder: 'prometheus-adapter',
    packages: ['sigs.k8s.io/prometheus-adapter/cmd/adapter'],
    aliases: { adapter: ['prometheus-adapter'] },
  },
  { folder: 'pause', packages: ['.'] },
  { folder: 'kind', packages: ['sigs.k8s.io/kind'], way: 'kind' },
];

const modulesFor = (way: 'embedded' | 'kind') => modules.filter((module) => (module.way ?? 'embedded') === way);

function programsOf(module: GoModule): string[] {
  const names = module.packages.map((name) => (name === '.' ? module.folder : (name.split('/').at(-1) ?? name)));
  return [...names, ...names.flatMap((name) => module.aliases?.[name] ?? [])];
}

/** The folder of a module's programs, named for the content that they are built from. */
function outputOf(module: GoModule, env: NodeJS.ProcessEnv): string {
  const source = join(repository, 'cluster/go', module.folder);
  const hash = createHash('sha256').update(JSON.stringify(module));
  for (const file of globSync('**/{go.mod,go.sum,*.go}', { cwd: source }).sort()) {
    hash.update(file).update(readFileSync(join(source, file)));
  }
  return join(cacheFolder(env), 'tools', `${module.folder}-${hash.digest('hex').slice(0, 12)}`);
}

/**
 * The path of a program that the toolchain builds: kube-apiserver, kubectl, etcd, helm, jaeger, ...
 * @throws Error when it is not built yet
 */
export function tool(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const path = builtTool(name, env);
  if (path === undefined) throw new Error(`${name} is not built yet; run: make tools`);
  return path;
}

/** The path of such a program, or undefined when it is not built yet. */
export function builtTool(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const module = modules.find((each) => programsOf(each).includes(name));
  if (module === undefined) throw new Error(`${name} is not a program of the toolchain`);
  const path = join(outputOf(module, env), name);
  return existsSync(path) ? path : undefined;
}

/** Whether there is nothing left to compile. */
export function toolsAreBuilt(env: NodeJS.ProcessEnv = process.env): boolean {
  return modulesFor('embedded').every((module) => existsSync(outputOf(module, env)));
}

/** Builds every program of a way that the cache does not hold. Minutes the first time, nothing afterwards. */
export async function buildTools(
  step: Step,
  way: 'embedded' | 'kind' = 'embedded',
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const missing = () => modulesFor(way).filter((module) => !existsSync(outputOf(module, env)));
  if (missing().length === 0) return;
  await alone(join(cacheFolder(env), 'tools/lock'), step, async () => {
    for (const module of missing()) {
      const title = `compile ${programsOf(module).join(', ')}`;
      await step(title, (note) => build(module, outputOf(module, env), env, note));
    }
  });
}

async function build(
  module: GoModule,
  output: string,
  env: NodeJS.ProcessEnv,
  note: (line: string) => void,
): Promise<void> {
  const partial = `${output}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  // Debugging information is stripped by the linker, so none is made; and memory is cheaper than the compiler's time.
  const speed = { arguments: ['-gcflags=all=-dwarf=false'], environment: { GOGC: '400' } };
  const ldflags = `-ldflags=-s -w ${module.ldflags ?? ''}`;
  const source = join(repository, 'cluster/go', module.folder);
  const completed = join(partial, 'source');
  const options = ['-trimpath', `-tags=${module.tags ?? ''}`, ldflags, ...speed.arguments];
  if (module.lacking) {
    mkdirSync(completed);
    options.push(`-modfile=${await completedModule(module.lacking, source, completed)}`);
  }
  await run('go', ['build', ...options, '-o', `${partial}/`, ...module.packages], {
    cwd: source,
    // Go's own temporary files are where nobody has to look for them when it is killed.
    env: {
      ...env,
      ...speed.environment,
      GOTMPDIR: partial,
      CGO_ENABLED: '0',
      GOFLAGS: '-mod=readonly -buildvcs=false',
    },
    timeoutMs: 40 * 60_000,
    onLine: note,
  });
  for (const [program, names] of Object.entries(module.aliases ?? {})) {
    for (const name of names) symlinkSync(program, join(partial, name));
  }
  rmSync(completed, { recursive: true, force: true });
  renameSync(partial, output);
}
