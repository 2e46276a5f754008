import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateFolder } from '../paths.ts';
import { run } from '../run.ts';
import { makeCgroups } from './cgroups.ts';
import { addresses, cgroupOf } from './layout.ts';

/**
 * Makes the inside of the node's namespaces: an address, routes, private folders and cgroups.
 * Everything but the cgroups ends with the namespaces.
 */
export async function setUpNode(name: string): Promise<void> {
  await setUpNetwork();
  await setUpMounts(stateFolder(name));
  makeCgroups(cgroupOf(name));
}

/** A pair of interfaces that ends in itself: the node has an address and a default route, and no way out of the machine. */
async function setUpNetwork(): Promise<void> {
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0-peer');
  await ip('link', 'set', 'eth0-peer', 'up');
  await ip('link', 'set', 'eth0', 'up');
  await ip('addr', 'add', `${addresses.node}/24`, 'dev', 'eth0');
  await ip('route', 'add', 'default', 'dev', 'eth0');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
}

/**
 * The kernel settings that the kubelet insists on. They belong to the whole machine, so the node's programs are shown
 * files that already say what they want, and the machine keeps its own values.
 */
const kernelSettings = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
} as const;

async function setUpMounts(state: string): Promise<void> {
  // Mounts made by containerd must be seen by the kubelet and the other way round, and by nobody outside.
  await mount('--make-rshared', '/');
  await privateFolder('/run', []);
  await privateFolder('/var/lib', [state]);
  await privateFolder('/var/log', []);
  const settings = join(state, 'kernel-settings');
  mkdirSync(settings, { recursive: true });
  for (const [setting, value] of Object.entries(kernelSettings)) {
    const file = join(settings, setting.replaceAll('/', '.'));
    writeFileSync(file, `${value}\n`);
    await mount('--bind', file, join('/proc/sys', setting));
  }
  const resolver = join(state, 'resolv.conf');
  writeFileSync(resolver, '# No name outside the cluster can be looked up from inside it.\n');
  await mount('--bind', resolver, '/etc/resolv.conf');
}

/** Puts an empty folder in the place of one of the machine's, and keeps the named folders below it where they were. */
async function privateFolder(folder: string, kept: readonly string[]): Promise<void> {
  const aside = '/mnt';
  for (const path of kept) await mount('--bind', path, aside);
  await mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder);
  for (const path of kept) {
    mkdirSync(path, { recursive: true });
    await mount('--bind', aside, path);
    await run('umount', [aside]);
  }
}

const ip = (...args: string[]) => run('ip', args, { timeoutMs: 10_000 });
const mount = (...args: string[]) => run('mount', args, { timeoutMs: 10_000 });
