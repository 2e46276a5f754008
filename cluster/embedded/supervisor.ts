// The one process of an embedded cluster outside its namespaces: it holds the namespaces and forwards loopback ports
// into them. When it ends, the kernel ends everything inside; when the inside ends, so does it.
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { stateFolder } from '../paths.ts';
import { forwardsIn } from '../ports.ts';
import { dialSocket } from './layout.ts';

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error('usage: supervisor.ts <cluster>');

const inside = spawn(
  'unshare',
  [
    ...['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...['tini', '--', process.execPath, join(import.meta.dirname, 'node.ts'), name],
  ],
  { stdio: 'inherit' },
);
inside.once('exit', (code) => process.exit(code ?? 1));
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => inside.kill('SIGKILL'));

for (const { port, target } of forwardsIn(stateFolder(name))) {
  createServer({ allowHalfOpen: true }, (caller) => {
    const node = connect({ path: dialSocket(name), allowHalfOpen: true });
    node.write(`${target}\n`);
    node.on('error', () => caller.destroy());
    caller.on('error', () => node.destroy());
    caller.on('close', () => node.destroy());
    node.on('close', () => caller.destroy());
    caller.pipe(node);
    node.pipe(caller);
  })
    .on('error', (error) => {
      console.error(`cannot forward port ${port}: ${error.message}`);
      inside.kill('SIGKILL');
    })
    .listen(port, '127.0.0.1');
}
