import { constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isAccessible, isCommand } from './commands.ts';
import { unified } from './embedded/cgroups.ts';
import { cacheFolder, stateFolder } from './paths.ts';
import { run } from './run.ts';
import { toolsAreBuilt } from './toolchain.ts';

/** What a cluster needs to know of the machine that it is to run on. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly uid: number;
  /** ID and ID_LIKE of the distribution, the nearest first. */
  readonly distributions: readonly string[];
  /** Those of the commands asked for that are on the path. */
  readonly commands: ReadonlySet<string>;
  /** Undefined where there is no Go, or none that answers. */
  readonly go?: { readonly version: string; readonly fetchesNewer: boolean };
  /** What was tried in namespaces of its own and refused. */
  readonly missingFeatures: readonly string[];
  readonly missingControllers: readonly string[];
  /** Available to new programs; undefined where the cluster runs already and has what it takes. */
  readonly memoryMiB?: number;
  /** One for each file system that is written to. */
  readonly disks: readonly Disk[];
  /** Whether a port of 127.0.0.1 can be bound. */
  readonly loopback: boolean;
}

export interface Disk {
  readonly folders: readonly string[];
  readonly freeGiB: number;
  readonly neededGiB: number;
}

/** Looks at this machine. Changes nothing: what has to be tried is tried in namespaces that end with the trial. */
export async function examine(cluster: { readonly name: string; readonly runs: boolean }): Promise<Machine> {
  const root = process.getuid?.() === 0 && process.platform === 'linux';
  const commands = new Set(['npm', 'go', 'apt-get'].filter(isCommand));
  const go = commands.has('go') ? await goVersion() : undefined;
  return {
    platform: process.platform,
    arch: process.arch,
    uid: process.getuid?.() ?? -1,
    distributions: distributions(),
    commands,
    ...(go ? { go } : {}),
    missingFeatures: root ? await missingFeatures() : [],
    missingControllers: root ? missingControllers() : [],
    ...(cluster.runs ? {} : { memoryMiB: process.availableMemory() / 2 ** 20 }),
    disks: disksOf(await foldersOf(cluster)),
    loopback: await canListen(),
  };
}

function distributions(): string[] {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return ['ID', 'ID_LIKE'].flatMap((key) => {
    const value = new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(release)?.[1] ?? '';
    return value.split(' ').filter((word) => word !== '');
  });
}

/** Asked outside of any module, where Go tells its own version and fetches no other. */
async function goVersion(): Promise<Machine['go']> {
  const told = await run('go', ['env', 'GOVERSION', 'GOTOOLCHAIN'], { cwd: '/', timeoutMs: 10_000 }).catch(() => '');
  const [version = '', toolchain = ''] = told.split('\n');
  return version.startsWith('go') ? { version: version.slice(2), fetchesNewer: toolchain !== 'local' } : undefined;
}

/** What a node does with the kernel. A line without its command is tried once the Debian packages are there. */
const trials: readonly (readonly [feature: string, command: string, script: string])[] = [
  ['mounts of its own', 'mount', 'mount -t tmpfs tmpfs /mnt'],
  [
    'overlay mounts',
    'mount',
    'cd /mnt && mkdir a b c d && mount -t overlay -o lowerdir=a,upperdir=b,workdir=c overlay d',
  ],
  ['veth interfaces', 'ip', 'ip link add probe type veth peer name probe-peer'],
  ['nftables', 'nft', 'nft add table ip probe'],
];

async function missingFeatures(): Promise<string[]> {
  const script = trials.map(
    ([feature, command, trial]) =>
      `! command -v ${command} >/dev/null || (${trial}) >/dev/null 2>&1 || echo '${feature}'`,
  );
  const flags = ['--net', '--mount', '--pid', '--fork', '--mount-proc'];
  return run('unshare', [...flags, 'sh', '-c', script.join('\n')], { timeoutMs: 20_000 }).then(
    (refused) => refused.split('\n').filter((line) => line !== ''),
    () => ['network, mount and process namespaces'],
  );
}

function missingControllers(): string[] {
  const wanted = ['cpu', 'cpuset', 'memory', 'pids'];
  const present = unified()
    ? readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ')
    : wanted.filter((name) => isAccessible(join('/sys/fs/cgroup', name), constants.W_OK));
  return wanted.filter((name) => !present.includes(name));
}

/** What is written where, in GiB: much while programs are compiled, little once the caches are warm. */
async function foldersOf({
  name,
  runs,
}: {
  readonly name: string;
  readonly runs: boolean;
}): Promise<Map<string, number>> {
  const cache = cacheFolder(process.env);
  const state: [string, number] = [stateFolder(name), runs ? 1 : 4];
  if (toolsAreBuilt()) return new Map([[cache, 2], state]);
  const goCache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return new Map([[cache, 6], [join(goCache, 'go-build'), 10], state]);
}

/** Sums up what is needed of each file system. */
function disksOf(folders: ReadonlyMap<string, number>): Disk[] {
  const byDevice = Map.groupBy(folders, ([folder]) => statSync(existing(folder)).dev);
  return [...byDevice.values()].map((entries) => {
    const { bavail, bsize } = statfsSync(existing(entries[0]?.[0] ?? '/'));
    return {
      folders: entries.map(([folder]) => folder),
      freeGiB: (bavail * bsize) / 2 ** 30,
      neededGiB: entries.reduce((sum, [, needed]) => sum + needed, 0),
    };
  });
}

const existing = (folder: string): string => (existsSync(folder) ? folder : existing(dirname(folder)));

function canListen(): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
