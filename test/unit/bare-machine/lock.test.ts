import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { alone } from '../../../cluster/lock.ts';
import type { Step } from '../../../cluster/progress.ts';

const folder = mkdtempSync(join(tmpdir(), 'lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

function steps() {
  const titles: string[] = [];
  const step: Step = (title, work) => {
    titles.push(title);
    return work(() => {});
  };
  return { titles, step };
}

it('lets one work at a time, and tells the others that they wait', async () => {
  const { titles, step } = steps();
  const log: string[] = [];
  const work = (name: string) =>
    alone(join(folder, 'a'), step, async () => {
      log.push(`${name} begins`);
      await sleep(100);
      log.push(`${name} ends`);
    });
  await Promise.all([work('one'), work('two'), work('three')]);
  expect(log.map((line) => line.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends', 'begins', 'ends']);
  expect(titles).toEqual(Array(2).fill(`wait for another make that fills ${folder}`));
});

it('is let go when the work fails', async () => {
  const { titles, step } = steps();
  await expect(alone(join(folder, 'b'), step, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await alone(join(folder, 'b'), step, async () => 'mine')).toBe('mine');
  expect(titles).toEqual([]);
});

it('is free again when a process was killed that had it', async () => {
  const source = `
    import { alone } from ${JSON.stringify(new URL('../../../cluster/lock.ts', import.meta.url).href)};
    await alone(${JSON.stringify(join(folder, 'c'))}, (_, work) => work(), () => {
      console.log('mine');
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(other.stdout, 'data');
  const { titles, step } = steps();
  const mine = alone(join(folder, 'c'), step, async () => 'mine');
  await sleep(100);
  expect(titles).toHaveLength(1);
  other.kill('SIGKILL');
  expect(await mine).toBe('mine');
});
