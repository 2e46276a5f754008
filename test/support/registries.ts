import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { etcdRegistry } from '../../services/common/src/discovery/registry-etcd.ts';
import { kubernetesRegistry } from '../../services/common/src/discovery/registry-kubernetes.ts';
import type { ServiceInfo, ServiceRegistry } from '../../services/common/src/discovery/service-registry.ts';
import { etcd } from '../../services/common/src/etcd/etcd.ts';
import { kubeconfigOfAccount } from './account.ts';
import { startControlPlane } from './control-plane.ts';
import { startEtcd } from './etcd-server.ts';
import { KubeApi, makeNamespace, readKubeconfig } from './kube-api.ts';

/** A real registry under test, and what happens around it. */
export interface RegistryBench {
  /** The adapter, as one more process has it. Closed with the bench. */
  readonly connect: () => ServiceRegistry;
  /** An instance is there and healthy; it is registered by `registry`. */
  readonly appear: (registry: ServiceRegistry, info: ServiceInfo) => Promise<void>;
  /** It says goodbye. */
  readonly leave: (registry: ServiceRegistry, info: ServiceInfo) => Promise<void>;
  /** It is there still, but cannot take requests. Each of them is a way that the registry learns of it. */
  readonly sicken: Readonly<Record<string, (registry: ServiceRegistry, info: ServiceInfo) => Promise<void>>>;
  /** The registry goes away, and comes back with what it knew. */
  readonly halt: () => Promise<void>;
  readonly resume: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export const leaseSeconds = 2;
const log = pino({ level: 'silent' });

export async function etcdBench(): Promise<RegistryBench> {
  const server = await startEtcd();
  const open: ServiceRegistry[] = [];
  const connectOne = () => {
    const registry = etcdRegistry({ etcd: etcd({ endpoints: [server.url], timeoutMs: 500 }), log, leaseSeconds });
    open.push(registry);
    return registry;
  };
  return {
    connect: connectOne,
    appear: (registry, info) => registry.register(info),
    leave: (registry, { id }) => registry.deregister(id),
    sicken: { 'that died': (registry) => registry.close() },
    halt: server.kill,
    resume: server.start,
    stop: async () => {
      await Promise.all(open.map((registry) => registry.close()));
      await server.stop();
    },
  };
}

/**
 * The API server is real; the test plays kubelet and the endpoint controller, who write the EndpointSlices. The account
 * has the rights that the adapter says it needs, and no other.
 */
export async function kubernetesBench(): Promise<RegistryBench & { readonly account: string }> {
  const plane = await startControlPlane();
  const api = new KubeApi(plane.kubeconfig);
  const namespace = await makeNamespace(api);
  const account = await accountFolder({ api, plane }, namespace);
  const door = await openDoor(Number(new URL(plane.url).port));
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const open: ServiceRegistry[] = [];

  /** Writes the endpoint of an instance, in a slice of its own as the controller does with a hundred of them. */
  const write = async (info: ServiceInfo, conditions: object) => {
    const slice = sliceOf(info, conditions);
    const { status } = await api.ask('POST', slices, slice);
    if (status === 409) await api.patch(`${slices}/${slice.metadata.name}`, slice);
    else if (status !== 201) throw new Error(`the API server answered ${status}`);
  };
  return {
    account,
    connect: () => {
      const registry = kubernetesRegistry({ server: `https://127.0.0.1:${door.port}`, account, log });
      open.push(registry);
      return registry;
    },
    appear: async (registry, info) => {
      await registry.register(info);
      await write(info, { ready: true, serving: true, terminating: false });
    },
    leave: async (registry, info) => {
      await registry.deregister(info.id);
      await api.delete(`${slices}/${info.id}`);
    },
    sicken: {
      'that is not ready': (_, info) => write(info, { ready: false, serving: false, terminating: false }),
      'that is about to stop': (_, info) => write(info, { ready: false, serving: true, terminating: true }),
    },
    halt: door.close,
    resume: door.open,
    stop: async () => {
      await Promise.all(open.map((registry) => registry.close()));
      await door.close();
      await api[Symbol.asyncDispose]();
      await plane.stop();
      rmSync(account, { recursive: true, force: true });
    },
  };
}

function sliceOf({ id, name, address, port }: ServiceInfo, conditions: object) {
  return {
    metadata: { name: id, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions, targetRef: { kind: 'Pod', name: id } }],
    ports: [
      { name: 'metrics', port: 9090 },
      { name: 'http', port },
    ],
  };
}

/** What a pod finds of its account: a folder with the token, the authority and the namespace. */
async function accountFolder(cluster: Parameters<typeof kubeconfigOfAccount>[0], namespace: string): Promise<string> {
  const { api } = cluster;
  const metadata = { name: 'finder' };
  const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await api.post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata });
  const rule = { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] };
  await api.post(`${roles}/roles`, { metadata, rules: [rule] });
  await api.post(`${roles}/rolebindings`, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'finder' },
    subjects: [{ kind: 'ServiceAccount', name: 'finder', namespace }],
  });
  const { ca, token } = readKubeconfig(await kubeconfigOfAccount(cluster, namespace, 'finder'));
  const folder = mkdtempSync(join(tmpdir(), 'account-'));
  for (const [file, content] of Object.entries({ namespace, token, 'ca.crt': ca })) {
    writeFileSync(join(folder, file), content, { mode: 0o600 });
  }
  return folder;
}

/** A way to a server on loopback that can be closed, and opened again at the same port. */
async function openDoor(target: number) {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    const behind = connect(target, '127.0.0.1');
    keep(client);
    keep(behind);
    client.pipe(behind).pipe(client);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const port = await listen(0);
  return {
    port,
    open: async () => void (await listen(port)),
    close: async () => {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
