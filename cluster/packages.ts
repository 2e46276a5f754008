import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isCommand } from './commands.ts';
import type { Step } from './progress.ts';
import { run } from './run.ts';

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
  ['/usr/lib/postgresql/15/bin/postgres', 'postgresql-15'],
  ['/usr/lib/rabbitmq/bin/rabbitmq-server', 'rabbitmq-server'],
];

/** Installs the Debian packages that are missing. */
export async function installPackages(step: Step, options: { readonly tests: boolean }): Promise<void> {
  const needs = options.tests ? [...clusterNeeds, ...testNeeds] : clusterNeeds;
  const missing = needs
    .filter(([path]) => !(path.startsWith('/') ? existsSync(path) : isCommand(path)))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  await step(`install ${missing.join(', ')}`, async (note) => {
    await aptGet(['update'], note);
    await withoutServers(() => aptGet(['install', '--yes', '--no-install-recommends', ...missing], note));
  });
}

const aptGet = (args: readonly string[], note: (line: string) => void) =>
  run('apt-get', ['--quiet', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: 600_000,
    onLine: note,
  });

/** Debian starts a server when its package is installed, unless this file says no. The machine's own is respected. */
async function withoutServers(install: () => Promise<unknown>): Promise<void> {
  const file = '/usr/sbin/policy-rc.d';
  if (existsSync(file)) {
    await install();
    return;
  }
  writeFileSync(file, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await install();
  } finally {
    rmSync(file, { force: true });
  }
}
