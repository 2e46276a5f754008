// The first program inside the node's namespaces (tini, which collects orphans, is above it). It prepares them, keeps
// the cluster's programs running, and connects callers from outside. It ends with its parent, and everything with it.
import { existsSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  apiReady,
  apiServer,
  controllerManager,
  etcd,
  type Program,
  scheduler,
  startProgram,
} from '../control-plane.ts';
import { eventually } from '../eventually.ts';
import { addresses, containerdSocket, dialSocket, layoutOf } from './layout.ts';
import { nodePrograms } from './node-programs.ts';
import { setUpNode } from './node-setup.ts';

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error('usage: node.ts <cluster>');
const layout = layoutOf(name);

await setUpNode(name);
keepRunning(etcd(layout));
keepRunning(apiServer(layout));
const [containerd, ...others] = nodePrograms(name);
if (containerd) {
  rmSync(containerdSocket(name), { force: true });
  keepRunning(containerd);
}
listenForCallers();
// A kubelet that finds no API server when it starts may stay NotReady.
await eventually('the API server', () => apiReady(layout), { timeoutMs: 120_000 });
for (const program of [controllerManager(layout), scheduler(layout)]) keepRunning(program);
await eventually('containerd', async () => existsSync(containerdSocket(name)));
for (const program of others) keepRunning(program);

/** Starts a program, and again a second after it ends. */
function keepRunning(program: Program): void {
  const child = startProgram(program, layout.folder);
  child.once('exit', async (code, signal) => {
    console.error(`${new Date().toISOString()} ${program.name} ended (${signal ?? code}); starting it again`);
    await sleep(1000);
    keepRunning(program);
  });
}

/**
 * Listens on a socket that is a file, so that it can be reached from outside the network namespace. A caller sends
 * `host:port` and a line end, and is then connected there; names are looked up in the cluster's DNS.
 */
function listenForCallers(): void {
  const socket = dialSocket(name ?? '');
  rmSync(socket, { force: true });
  createServer({ allowHalfOpen: true }, (caller) => {
    caller.on('error', () => caller.destroy());
    caller.once('data', async (first) => {
      caller.pause();
      const end = first.indexOf('\n');
      const [host = '', port = ''] = first.subarray(0, end).toString().split(':');
      const address = await lookUp(host).catch(() => undefined);
      if (address === undefined) {
        caller.destroy();
        return;
      }
      const target = connect({ host: address, port: Number(port), allowHalfOpen: true });
      target.on('error', () => caller.destroy());
      caller.on('close', () => target.destroy());
      target.on('close', () => caller.destroy());
      target.write(first.subarray(end + 1));
      caller.pipe(target);
      target.pipe(caller);
    });
  }).listen(socket);
}

async function lookUp(host: string): Promise<string | undefined> {
  if (/^[0-9.]+$/.test(host)) return host;
  const { Resolver } = await import('node:dns/promises');
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([addresses.dns]);
  return (await resolver.resolve4(host))[0];
}
