import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { choosePorts, forwardsIn, services } from './ports.ts';
import { processesOf, signal } from './processes.ts';
import { waitFor } from './wait-for.ts';

const program = join(import.meta.dirname, 'port-forwards.ts');

/** Makes Services of the cluster whose kubeconfig is in that folder reachable by loopback ports, once. */
export async function startForwarding(folder: string, names: readonly string[]): Promise<void> {
  const wanted = services.filter(({ name }) => names.includes(name));
  if (forwarding(folder) && sameNames(folder, names)) return;
  stopForwarding(folder);
  const forwards = await choosePorts(folder, wanted);
  const log = openSync(join(folder, 'port-forwards.log'), 'a');
  spawn(process.execPath, [program, folder], { detached: true, stdio: ['ignore', 'ignore', log] }).unref();
  for (const { name, port } of forwards) {
    await waitFor(`port ${port} of ${name} (log: ${join(folder, 'port-forwards.log')})`, () => accepts(port));
  }
}

/** Ends what `startForwarding` started. */
export function stopForwarding(folder: string): void {
  signal(processesOf('/cluster/port-forwards.ts', folder), 'SIGTERM');
}

const forwarding = (folder: string) => processesOf('/cluster/port-forwards.ts', folder).length > 0;

function sameNames(folder: string, names: readonly string[]): boolean {
  return (
    names.toSorted().join() ===
    forwardsIn(folder)
      .map(({ name }) => name)
      .toSorted()
      .join()
  );
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
