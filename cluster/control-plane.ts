import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { makeAuthority, makeCertificate, makeTokenKeys } from './certificates.ts';
import { tool } from './toolchain.ts';

/** The identities that a cluster starts with, and the groups that give them their rights. */
const identities = {
  admin: 'system:masters',
  'system:kube-controller-manager': '',
  'system:kube-scheduler': '',
  'system:kube-proxy': 'system:node-proxier',
  'system:node:node': 'system:nodes',
} as const;
export type Identity = keyof typeof identities;

export interface Layout {
  /** Holds everything: keys, data, logs. */
  readonly folder: string;
  /** The address that the API server and etcd listen on. */
  readonly host: string;
  readonly ports: { readonly etcd: number; readonly peer: number; readonly api: number };
}

export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** The first address of the range of Services, which is the API server's own. */
const serviceRange = '10.96.0.0/16';
const apiServiceAddress = '10.96.0.1';

const pki = (layout: Layout) => join(layout.folder, 'pki');

/** The kubeconfig file of one identity. */
export function kubeconfigOf(layout: Layout, identity: Identity): string {
  return join(pki(layout), `${identity.replaceAll(':', '-')}.kubeconfig`);
}

/** Makes keys, certificates, tokens and kubeconfig files; every secret is readable by its owner only. */
export async function prepareControlPlane(layout: Layout): Promise<void> {
  const folder = pki(layout);
  await makeAuthority(folder, 'ca');
  const hosts = [
    ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'].map((name) => `DNS:${name}`),
    ...new Set(['127.0.0.1', apiServiceAddress, layout.host].map((address) => `IP:${address}`)),
  ];
  await Promise.all([
    makeCertificate(folder, 'ca', { name: 'api-server', subject: '/CN=kube-apiserver', hosts }),
    makeAuthority(folder, 'front-proxy-ca').then(() =>
      makeCertificate(folder, 'front-proxy-ca', { name: 'front-proxy', subject: '/CN=front-proxy' }),
    ),
    makeTokenKeys(folder),
  ]);
  // Signed one after the other: both use the authority's serial number file.
  await makeCertificate(folder, 'ca', {
    name: 'kubelet-client',
    subject: '/O=system:masters/CN=kube-apiserver-kubelet-client',
  });
  await makeCertificate(folder, 'ca', {
    name: 'kubelet',
    subject: '/CN=node',
    hosts: [`IP:${layout.host}`, 'DNS:node'],
  });
  writeIdentities(layout);
}

function writeIdentities(layout: Layout): void {
  const authority = readFileSync(join(pki(layout), 'ca.crt')).toString('base64');
  const lines = Object.entries(identities).map(([name, group]) => {
    const token = randomBytes(24).toString('hex');
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'cluster',
      clusters: [
        {
          name: 'cluster',
          cluster: {
            server: `https://${layout.host}:${layout.ports.api}`,
            'certificate-authority-data': authority,
          },
        },
      ],
      users: [{ name, user: { token } }],
      contexts: [{ name: 'cluster', context: { cluster: 'cluster', user: name } }],
    };
    writeFileSync(kubeconfigOf(layout, name as Identity), JSON.stringify(kubeconfig, null, 2), {
      mode: 0o600,
    });
    return `${token},${name},${name},"${group}"`;
  });
  writeFileSync(join(pki(layout), 'tokens.csv'), lines.join('\n'), { mode: 0o600 });
}

/** etcd. Nothing is forced to disk: a cluster for trying things out ends with its machine anyway. */
export function etcd({ folder, host, ports }: Layout): Program {
  const [client, peer] = [`http://${host}:${ports.etcd}`, `http://${host}:${ports.peer}`];
  return {
    name: 'etcd',
    command: tool('etcd'),
    args: [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
  };
}

export function apiServer(layout: Layout, extra: readonly string[] = []): Program {
  const file = (name: string) => join(pki(layout), name);
  const loopback = layout.host === '127.0.0.1';
  return {
    name: 'kube-apiserver',
    command: tool('kube-apiserver'),
    args: [
      `--etcd-servers=http://${layout.host}:${layout.ports.etcd}`,
      `--bind-address=${layout.host}`,
      `--secure-port=${layout.ports.api}`,
      `--service-cluster-ip-range=${serviceRange}`,
      // A loopback address cannot be the endpoint of a Service.
      loopback ? '--endpoint-reconciler-type=none' : `--advertise-address=${layout.host}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
      `--token-auth-file=${file('tokens.csv')}`,
      `--client-ca-file=${file('ca.crt')}`,
      `--tls-cert-file=${file('api-server.crt')}`,
      `--tls-private-key-file=${file('api-server.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${file('service-account.pub')}`,
      `--service-account-signing-key-file=${file('service-account.key')}`,
      `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
      `--kubelet-client-key=${file('kubelet-client.key')}`,
      `--kubelet-certificate-authority=${file('ca.crt')}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--requestheader-client-ca-file=${file('front-proxy-ca.crt')}`,
      '--requestheader-allowed-names=front-proxy',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-username-headers=X-Remote-User',
      `--proxy-client-cert-file=${file('front-proxy.crt')}`,
      `--proxy-client-key-file=${file('front-proxy.key')}`,
      ...extra,
    ],
  };
}

export function controllerManager(layout: Layout, extra: readonly string[] = []): Program {
  const file = (name: string) => join(pki(layout), name);
  return {
    name: 'kube-controller-manager',
    command: tool('kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfigOf(layout, 'system:kube-controller-manager')}`,
      '--bind-address=127.0.0.1',
      '--leader-elect=false',
      '--use-service-account-credentials=true',
      `--root-ca-file=${file('ca.crt')}`,
      `--service-account-private-key-file=${file('service-account.key')}`,
      // A cluster for trying things out reacts sooner than the default of 15 s.
      '--horizontal-pod-autoscaler-sync-period=5s',
      ...extra,
    ],
  };
}

export function scheduler(layout: Layout): Program {
  return {
    name: 'kube-scheduler',
    command: tool('kube-scheduler'),
    args: [
      `--kubeconfig=${kubeconfigOf(layout, 'system:kube-scheduler')}`,
      '--bind-address=127.0.0.1',
      '--leader-elect=false',
    ],
  };
}

/** Whether the API server says that it is ready. */
export async function apiReady(layout: Layout): Promise<boolean> {
  const ca = readFileSync(join(pki(layout), 'ca.crt'));
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: layout.host, port: layout.ports.api, path: '/readyz', ca, timeout: 2000 },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer in 2 s')));
    asked.on('error', reject);
    asked.end();
  });
}

/** Where the output of a program goes. */
export const logOf = (folder: string, name: string) => join(folder, 'logs', `${name}.log`);

/** Starts a program with its output going to a log file of its name. */
export function startProgram(program: Program, folder: string): ChildProcess {
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const log = openSync(logOf(folder, program.name), 'a');
  return spawn(program.command, program.args, { stdio: ['ignore', log, log] });
}
