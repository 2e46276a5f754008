import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Step } from './progress.ts';

/** As long as the slowest thing that is done alone. */
const longestS = 3600;

/**
 * Runs `work` while no other process holds the lock of this file; says so while it waits for one. The lock is the
 * kernel's, held by a child that ends with this process, however that ends.
 * @throws Error when the other one does not end within an hour
 */
export async function alone<T>(file: string, step: Step, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const waiting = `wait for another make that fills ${dirname(file)}`;
  const release =
    (await held(file, ['--nonblock'])) ?? (await step(waiting, () => held(file, [`--timeout=${longestS}`])));
  if (release === undefined) throw new Error(`another process holds ${file} for more than an hour: end it`);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Takes the lock and gives what lets it go; undefined when another has it. */
async function held(file: string, how: readonly string[]): Promise<(() => Promise<unknown>) | undefined> {
  const child = spawn('flock', [...how, file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const taken = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!taken) return undefined;
  return () => {
    child.stdin.end();
    return ended;
  };
}
