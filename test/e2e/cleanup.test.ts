import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../cluster/paths.ts';
import { run } from '../../cluster/run.ts';
import { cluster } from '../support/cluster.ts';
import { traces } from '../support/traces.ts';

/** A second cluster beside the one of the other tests. */
const name = 'leftover';
const folder = `/var/lib/microservice-platform/${name}`;

/** Where somebody has the project a second time. */
const clone = mkdtempSync(join(tmpdir(), 'clone-'));

const commandOf = (folderOf: string, ...args: string[]): [string, string[]] => [
  process.execPath,
  [join(folderOf, 'cluster/main.ts'), ...args],
];
const command = (...args: string[]) => commandOf(repository, ...args);

/** Starts `make up` and kills it, with whatever it was running, after a while. */
async function killedUp(afterMs: number): Promise<void> {
  const child = spawn(...command('up', name), { detached: true, stdio: 'ignore' });
  await sleep(afterMs);
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
}

/** The status of GET /products of a cluster, by its addresses as `make urls` prints them. */
async function products(urls: string): Promise<number> {
  const gateway = /^api-gateway (\S+)/m.exec(urls)?.[1];
  return (await fetch(`${gateway}/products`, { signal: AbortSignal.timeout(10_000) })).status;
}

beforeAll(() => {
  for (const part of ['cluster', 'manifests', 'services', 'package.json', 'package-lock.json']) {
    cpSync(join(repository, part), join(clone, part), { recursive: true });
  }
  symlinkSync(join(repository, 'node_modules'), join(clone, 'node_modules'));
});

afterAll(async () => {
  await run(...command('down', name));
  rmSync(clone, { recursive: true });
});

describe('make up and make down', () => {
  it('leave nothing of a cluster when they are killed in the middle, started again and taken down', async () => {
    const before = await traces(name);
    // What a machine that was switched off may leave, or an earlier version.
    mkdirSync(folder, { recursive: true });
    for (const file of ['ports.json', 'kubeconfig', 'dial.sock']) writeFileSync(join(folder, file), '{');
    for (const afterMs of [700, 2500, 6000, 12_000]) await killedUp(afterMs);
    const said = await run(...command('up', name), { timeoutMs: 300_000 });
    expect(said).toMatch(/order .* was answered 201/);
    expect(existsSync(folder)).toBe(true);

    // The other cluster has the usual ports, so this one has others, and both answer; also when asked from elsewhere.
    const [ours, theirs] = [await run(...commandOf(clone, 'urls', name)), await run(...command('urls', cluster.name))];
    expect(theirs.split('\n').filter((line) => line !== '' && ours.includes(line))).toEqual([]);
    expect([await products(ours), await products(theirs)]).toEqual([200, 200]);

    const farewell = await run(...commandOf(clone, 'down', name), { timeoutMs: 90_000 });
    expect(farewell).toContain(`Nothing of the cluster ${name} is left`);
    expect(await traces(name)).toEqual(before);
    expect(await products(theirs)).toBe(200);
  });

  it('do nothing the second time', async () => {
    expect(await run(...command('down', name))).toContain(`Nothing of the cluster ${name} is left`);
  });
});
