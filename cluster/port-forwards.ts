// A process that keeps loopback ports of the machine leading to Services of a cluster that is somewhere else, by way of
// its API server: `kubectl port-forward`, begun again whenever it ends, as it does when its pod goes. It lives until it
// is told to end.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { client } from './clients.ts';
import { type Forward, forwardsIn } from './ports.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: port-forwards.ts <folder>');
const kubeconfig = join(folder, 'kubeconfig');
const running = new Map<string, ReturnType<typeof spawn>>();

for (const forward of forwardsIn(folder)) keepForwarding(forward);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    for (const child of running.values()) child.kill('SIGKILL');
    process.exit(0);
  });
}

function keepForwarding(forward: Forward): void {
  const [host = '', inside = ''] = forward.target.split(':');
  const [service = '', namespace = ''] = host.split('.');
  const options = ['--kubeconfig', kubeconfig, '--namespace', namespace, '--address', '127.0.0.1'];
  const child = spawn(
    client('kubectl'),
    ['port-forward', ...options, `service/${service}`, `${forward.port}:${inside}`],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  running.set(forward.name, child);
  child.once('close', () => setTimeout(() => keepForwarding(forward), 500));
  child.once('error', (error) => console.error(`${forward.name}: ${error.message}`));
}
