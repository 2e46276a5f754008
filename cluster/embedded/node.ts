// The first program inside the node's namespaces (tini, which collects orphans, is above it). It prepares them, keeps
// the cluster's programs running, and connects callers from outside. It ends with its parent, and everything with it.

import { Resolver } from 'node:dns/promises';
import { existsSync, rmSync } from 'node:fs';
import { connect, createServer, isIPv4, type Socket } from 'node:net';
import {
  apiReady,
  apiServer,
  controllerManager,
  etcd,
  type Program,
  scheduler,
  startProgram,
} from '../control-plane.ts';
import { waitFor } from '../wait-for.ts';
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
listenForCallers(name);
// A kubelet that finds no API server when it starts may stay NotReady.
await waitFor('the API server', () => apiReady(layout), { timeoutMs: 120_000 });
for (const program of [controllerManager(layout), scheduler(layout)]) keepRunning(program);
await waitFor('containerd', async () => existsSync(containerdSocket(name)));
for (const program of others) keepRunning(program);

/** Starts a program, and again a second after it ends. */
function keepRunning(program: Program): void {
  const child = startProgram(program, layout.folder);
  child.once('exit', (code, signal) => {
    console.error(`${new Date().toISOString()} ${program.name} ended (${signal ?? code}); starting it again`);
    setTimeout(() => keepRunning(program), 1000);
  });
}

/**
 * Listens on a socket that is a file, so that it can be reached from outside the network namespace. A caller sends
 * `host:port` and a line end, and is then connected there.
 */
function listenForCallers(cluster: string): void {
  rmSync(dialSocket(cluster), { force: true });
  createServer({ allowHalfOpen: true }, (caller) => {
    caller.on('error', () => caller.destroy());
    caller.once('data', (first) => {
      caller.pause();
      connectCaller(caller, first).catch(() => caller.destroy());
    });
  }).listen(dialSocket(cluster));
}

async function connectCaller(caller: Socket, first: Buffer): Promise<void> {
  const end = first.indexOf('\n');
  const [host = '', port = ''] = first.subarray(0, end).toString().split(':');
  const target = connect({ host: await addressOf(host), port: Number(port), allowHalfOpen: true });
  target.on('error', () => caller.destroy());
  target.on('close', () => caller.destroy());
  caller.on('close', () => target.destroy());
  target.write(first.subarray(end + 1));
  caller.pipe(target);
  target.pipe(caller);
}

/** The address of a name, asked of the cluster's DNS. */
async function addressOf(host: string): Promise<string> {
  if (isIPv4(host)) return host;
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([addresses.dns]);
  const [address] = await resolver.resolve4(host);
  if (address === undefined) throw new Error(`${host} has no address`);
  return address;
}
