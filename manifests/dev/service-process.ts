import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { repository } from '../../cluster/paths.ts';

const stopMs = 5_000;

/** A service that starts anew whenever a file that it was loaded from changes. It dies with this process. */
export function watchedService(
  name: string,
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): { readonly stop: () => Promise<void> } {
  const args = ['--watch', '--watch-preserve-output', '--import', './services/common/src/telemetry/telemetry.ts'];
  const node = [process.execPath, ...args, `services/${name}/src/main.ts`];
  const child = spawn('setpriv', ['--pdeathsig=TERM', '--', ...node], {
    cwd: repository,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is for this process, which then ends them in order
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
  const ended = once(child, 'close');
  return {
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await ended;
      clearTimeout(late);
    },
  };
}
