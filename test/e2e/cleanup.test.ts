import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../../cluster/run.ts';
import { traces } from '../support/traces.ts';

/** A second cluster beside the one of the other tests. */
const name = 'leftover';
const folder = `/var/lib/microservice-platform/${name}`;

const command = (...args: string[]): [string, string[]] => [
  process.execPath,
  [new URL('../../cluster/main.ts', import.meta.url).pathname, ...args],
];

/** Starts `make up` and kills it, with whatever it was running, after a while. */
async function killedUp(afterMs: number): Promise<void> {
  const child = spawn(...command('up', name), { detached: true, stdio: 'ignore' });
  await sleep(afterMs);
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
}

afterAll(async () => {
  await run(...command('down', name));
});

describe('make up and make down', () => {
  it('leave nothing of a cluster when they are killed in the middle, started again and taken down', async () => {
    const before = await traces(name);
    for (const afterMs of [700, 2500, 6000, 12_000]) await killedUp(afterMs);
    const said = await run(...command('up', name), { timeoutMs: 300_000 });
    expect(said).toMatch(/order .* was answered 201/);
    expect(existsSync(folder)).toBe(true);

    const farewell = await run(...command('down', name), { timeoutMs: 90_000 });
    expect(farewell).toContain(`Nothing of the cluster ${name} is left`);
    expect(await traces(name)).toEqual(before);
  });

  it('do nothing the second time', async () => {
    expect(await run(...command('down', name))).toContain(`Nothing of the cluster ${name} is left`);
  });
});
