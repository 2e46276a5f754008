import type { Machine } from './machine.ts';

/** Something that keeps a cluster from running here: what it is, and what to do about it. */
export interface Fault {
  /** The heading of docs/troubleshooting.md that explains it. */
  readonly id: keyof typeof judges;
  readonly text: string;
}

/** What an embedded cluster with the platform and the shop takes. */
export const needs = { memoryMiB: 6 * 1024, goVersion: '1.26.6', nodeMajor: 20 } as const;

/** Each looks for one fault. The text says what is wrong, and after a colon what to do. */
const judges = {
  'not-linux': ({ platform }) => platform !== 'linux' && `this is ${platform}: an embedded cluster needs Linux`,
  'not-root': ({ uid }) => uid !== 0 && 'not root: run it as root, for example with sudo',
  architecture: ({ arch }) =>
    !['x64', 'arm64'].includes(arch) && `${arch} processors are not supported: use a machine with x64 or arm64`,
  'not-debian': ({ distributions, commands }) =>
    (!distributions.includes('debian') || !commands.has('apt-get')) &&
    `this is ${distributions[0] ?? 'unknown'}: an embedded cluster takes its small parts from Debian packages, so use Debian 12`,
  'no-npm': ({ commands }) =>
    !commands.has('npm') && `npm is not on the path: install Node ${needs.nodeMajor} or newer with npm`,
  'no-go': ({ commands }) =>
    !commands.has('go') &&
    `go is not on the path: install Go ${needs.goVersion} or newer, or put the one that is there on the path of root`,
  'old-go': ({ go }) =>
    go !== undefined &&
    olderThan(go.version, needs.goVersion) &&
    !(go.fetchesNewer && !olderThan(go.version, '1.21')) &&
    `go is ${go.version}: install Go ${needs.goVersion} or newer`,
  kernel: ({ missingFeatures }) =>
    missingFeatures.length > 0 &&
    `the kernel, or the container that this runs in, refuses ${missingFeatures.join(', ')}: use a virtual machine or bare metal, with all capabilities`,
  cgroups: ({ missingControllers }) =>
    missingControllers.length > 0 &&
    `the cgroup controllers ${missingControllers.join(', ')} are not there: mount them below /sys/fs/cgroup, or enable them on the kernel's command line`,
  memory: ({ memoryMiB }) =>
    memoryMiB !== undefined &&
    memoryMiB < needs.memoryMiB &&
    `${gib(memoryMiB)} GiB of memory are available: ${gib(needs.memoryMiB)} are needed, so end other programs or take a larger machine`,
  disk: ({ disks }) =>
    disks
      .filter(({ freeGiB, neededGiB }) => freeGiB < neededGiB)
      .map(
        ({ folders, freeGiB, neededGiB }) =>
          `${freeGiB.toFixed(1)} GiB are free for ${folders.join(', ')}: make room for ${neededGiB} GiB, or set XDG_CACHE_HOME to a larger disk`,
      )
      .join('; '),
  loopback: ({ loopback }) => !loopback && 'no port of 127.0.0.1 can be bound: bring it up with ip link set lo up',
} satisfies Record<string, (machine: Machine) => string | false>;

/** Everything that is wrong at once, so that nobody has to come back for the next fault. Empty when a cluster can run. */
export function faultsOf(machine: Machine): Fault[] {
  return (Object.keys(judges) as Fault['id'][]).flatMap((id) => {
    const text = judges[id](machine);
    return text ? [{ id, text }] : [];
  });
}

/** Every fault that there can be. */
export const faultIds = Object.keys(judges) as readonly Fault['id'][];

function olderThan(version: string, wanted: string): boolean {
  const [have, want] = [version, wanted].map((text) => text.split('.').map(Number));
  for (const [at, number] of (want ?? []).entries()) {
    const difference = (have?.[at] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

const gib = (mib: number) => (mib / 1024).toFixed(1).replace('.0', '');

const nameForm = /^[a-z][a-z0-9-]{0,19}$/;

/** @throws Error when a cluster cannot have that name: it becomes a folder, a cgroup and part of an argument */
export function checkName(name: string): string {
  if (!nameForm.test(name)) {
    throw new Error(`NAME=${name}: use 1 to 20 small letters, digits and dashes, a letter first`);
  }
  return name;
}
