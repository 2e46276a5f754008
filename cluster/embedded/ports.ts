import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { stateFolder } from '../paths.ts';
import { addresses } from './layout.ts';

/** A loopback port of the machine that leads to an address inside the cluster. */
export interface Forward {
  readonly name: string;
  readonly port: number;
  /** `host:port` inside. */
  readonly target: string;
}

/** What is reachable from the machine, with the port that it has when nobody else has it. */
const wanted: readonly Forward[] = [
  { name: 'kubernetes', port: 16443, target: `${addresses.node}:6443` },
  { name: 'api-gateway', port: 18080, target: 'api-gateway.shop.svc.cluster.local:8080' },
  { name: 'jaeger', port: 16686, target: 'jaeger.microservice-platform.svc.cluster.local:16686' },
  { name: 'prometheus', port: 19090, target: 'prometheus.microservice-platform.svc.cluster.local:9090' },
];

export const portsFile = (name: string) => join(stateFolder(name), 'ports.json');

/** The forwards of a cluster that has chosen its ports, or undefined. */
export function forwardsOf(name: string): readonly Forward[] | undefined {
  return existsSync(portsFile(name)) ? JSON.parse(readFileSync(portsFile(name), 'utf8')) : undefined;
}

/** Chooses a free loopback port for each forward and writes them down: the usual one, or any where that is taken. */
export async function choosePorts(name: string): Promise<readonly Forward[]> {
  const forwards: Forward[] = [];
  for (const forward of wanted) {
    forwards.push({ ...forward, port: (await bindable(forward.port)) ?? (await bindable(0)) ?? 0 });
  }
  writeFileSync(portsFile(name), JSON.stringify(forwards, null, 2));
  return forwards;
}

async function bindable(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
