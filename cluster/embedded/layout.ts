import { join } from 'node:path';
import type { Layout } from '../control-plane.ts';
import { stateFolder } from '../paths.ts';

/** The node's address, inside network namespaces that nothing else shares: every cluster can use the same. */
const nodeAddress = '10.89.0.2';

/** Addresses inside an embedded cluster. */
export const addresses = { node: nodeAddress, dns: '10.96.0.10', pods: '10.244.0.0/16' } as const;

/** Where an embedded cluster keeps what, and where its API server listens. */
export function layoutOf(name: string): Layout {
  return { folder: stateFolder(name), host: nodeAddress, ports: { etcd: 2379, peer: 2380, api: 6443 } };
}

/** The socket on which the node connects callers from outside to addresses inside. */
export const dialSocket = (name: string) => join(stateFolder(name), 'dial.sock');

export const containerdSocket = (name: string) => join(stateFolder(name), 'containerd.sock');

/** The cgroup that the node's pods live in, in every hierarchy. */
export const cgroupOf = (name: string) => `microservice-platform-${name}`;
