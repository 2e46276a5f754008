import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** A loopback port of the machine that leads to an address inside a cluster. */
export interface Forward {
  readonly name: string;
  readonly port: number;
  /** `host:port` inside. */
  readonly target: string;
}

/** The Services that people want to reach, with the port that each has when nobody else has it. */
export const services: readonly Forward[] = [
  { name: 'api-gateway', port: 18080, target: 'api-gateway.shop.svc.cluster.local:8080' },
  { name: 'jaeger', port: 16686, target: 'jaeger.microservice-platform.svc.cluster.local:16686' },
  { name: 'prometheus', port: 19090, target: 'prometheus.microservice-platform.svc.cluster.local:9090' },
  { name: 'alertmanager', port: 19093, target: 'alertmanager.microservice-platform.svc.cluster.local:9093' },
  { name: 'loki', port: 13100, target: 'loki.microservice-platform.svc.cluster.local:3100' },
  { name: 'grafana', port: 13000, target: 'grafana.microservice-platform.svc.cluster.local:3000' },
];

export const portsFile = (folder: string) => join(folder, 'ports.json');

/** The forwards of the cluster that keeps its state in that folder; none before it has chosen its ports. */
export function forwardsIn(folder: string): readonly Forward[] {
  return existsSync(portsFile(folder)) ? JSON.parse(readFileSync(portsFile(folder), 'utf8')) : [];
}

/** Their loopback URLs, by name. */
export function urlsIn(folder: string): ReadonlyMap<string, string> {
  return new Map(forwardsIn(folder).map((forward) => [forward.name, urlOf(forward)]));
}

export const urlOf = ({ name, port }: Forward) => `${name === 'kubernetes' ? 'https' : 'http'}://127.0.0.1:${port}`;

/** Chooses a free loopback port for each and writes them down: the usual one, or any where that is taken, which it says. */
export async function choosePorts(folder: string, wanted: readonly Forward[]): Promise<readonly Forward[]> {
  const forwards: Forward[] = [];
  for (const forward of wanted) {
    const port = (await bindable(forward.port)) ?? (await bindable(0)) ?? 0;
    if (port !== forward.port) console.error(`    port ${forward.port} is taken: ${forward.name} has ${port}`);
    forwards.push({ ...forward, port });
  }
  writeFileSync(portsFile(folder), JSON.stringify(forwards, null, 2));
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
