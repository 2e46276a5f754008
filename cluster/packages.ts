import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isCommand } from './commands.ts';
import type { Step } from './progress.ts';
import { CommandError, run } from './run.ts';

/** A program or file that an embedded cluster or the tests use, and the Debian package that brings it. */
type Need = readonly [path: string, debianPackage: string];

const clusterNeeds: readonly Need[] = [
  ['buildah', 'buildah'],
  ['conntrack', 'conntrack'],
  ['/usr/lib/cni/ptp', 'containernetworking-plugins'],
  ['debootstrap', 'debootstrap'],
  ['ip', 'iproute2'],
  ['iptables', 'iptables'],
  ['nft', 'nftables'],
  ['openssl', 'openssl'],
  ['runc', 'runc'],
  ['tini', 'tini'],
  ['unshare', 'util-linux'],
];

const testNeeds: readonly Need[] = [
  ['curl', 'curl'],
  ['/usr/sbin/dockerd', 'docker.io'],
  ['docker-registry', 'docker-registry'],
  ['lua5.1', 'lua5.1'],
  ['/usr/lib/postgresql/15/bin/postgres', 'postgresql-15'],
  ['/usr/lib/rabbitmq/bin/rabbitmq-server', 'rabbitmq-server'],
  ['redis-server', 'redis-server'],
  ['/usr/lib/python3.11/ensurepip/__init__.py', 'python3-venv'],
];

/** Installs the Debian packages that are missing. */
export async function installPackages(step: Step, options: { readonly tests: boolean }): Promise<void> {
  const needs = options.tests ? [...clusterNeeds, ...testNeeds] : clusterNeeds;
  const missing = needs
    .filter(([path]) => !(path.startsWith('/') ? existsSync(path) : isCommand(path)))
    .map(([, name]) => name);
  if (readIfThere(startsNoServers)?.includes(ours)) rmSync(startsNoServers);
  if (missing.length === 0) return;
  await step(`install ${missing.join(', ')}`, async (note) => {
    await aptGet(['update'], note);
    await withoutServers(() => install(missing, note));
  });
}

/** An installation that was killed in the middle is brought to its end first; a dpkg that still works is waited for. */
async function install(names: readonly string[], note: (line: string) => void): Promise<void> {
  const ask = () => aptGet(['install', '--yes', '--no-install-recommends', ...names], note);
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof CommandError && error.message.includes('dpkg was interrupted'))) throw error;
    await run('dpkg', ['--configure', '-a'], { env: unasked(), timeoutMs: 300_000, onLine: note });
    await ask();
  }
}

const unasked = () => ({ ...process.env, DEBIAN_FRONTEND: 'noninteractive' });
const bounds = [
  'DPkg::Lock::Timeout=120',
  'Acquire::Retries=1',
  'Acquire::http::Timeout=20',
  'APT::Update::Error-Mode=any',
].flatMap((option) => ['--option', option]);

const aptGet = (args: readonly string[], note: (line: string) => void) =>
  run('apt-get', ['--quiet', ...bounds, ...args], {
    env: unasked(),
    timeoutMs: 600_000,
    onLine: note,
  });

/** Debian starts a server when its package is installed, unless this file says no. The machine's own is respected. */
const startsNoServers = '/usr/sbin/policy-rc.d';
const ours = '# of microservice-platform, while it installs packages';

async function withoutServers(work: () => Promise<void>): Promise<void> {
  if (existsSync(startsNoServers)) {
    await work();
    return;
  }
  writeFileSync(startsNoServers, `#!/bin/sh\n${ours}\nexit 101\n`, { mode: 0o755 });
  try {
    await work();
  } finally {
    rmSync(startsNoServers, { force: true });
  }
}

const readIfThere = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
