import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfigOf, type Layout, type Program } from '../control-plane.ts';
import { tool } from '../toolchain.ts';
import { unified } from './cgroups.ts';
import { addresses, cgroupOf, containerdSocket, layoutOf } from './layout.ts';

/** Writes the configuration of containerd, kubelet and kube-proxy. `pauseImage` holds the namespaces of each pod. */
export function prepareNode(name: string, pauseImage: string): void {
  const layout = layoutOf(name);
  mkdirSync(networksOf(layout), { recursive: true });
  writeJson(join(networksOf(layout), '10-pods.conflist'), podNetwork(layout));
  writeFileSync(join(layout.folder, 'containerd.toml'), containerdConfig(name, layout, pauseImage));
  writeJson(join(layout.folder, 'kubelet.json'), kubeletConfig(name, layout));
  writeJson(join(layout.folder, 'kube-proxy.json'), kubeProxyConfig(layout));
}

/** containerd, kubelet and kube-proxy, in the order in which they start. */
export function nodePrograms(name: string): Program[] {
  const layout = layoutOf(name);
  const { folder } = layout;
  return [
    { name: 'containerd', command: tool('containerd'), args: ['--config', join(folder, 'containerd.toml')] },
    {
      name: 'kubelet',
      command: tool('kubelet'),
      args: [
        `--config=${join(folder, 'kubelet.json')}`,
        `--kubeconfig=${kubeconfigOf(layout, 'system:node:node')}`,
        `--root-dir=${join(folder, 'kubelet')}`,
        `--node-ip=${addresses.node}`,
        '--hostname-override=node',
      ],
    },
    {
      name: 'kube-proxy',
      command: tool('kube-proxy'),
      args: [`--config=${join(folder, 'kube-proxy.json')}`],
    },
  ];
}

const networksOf = ({ folder }: Layout) => join(folder, 'cni/net.d');

/** Point to point, not a bridge: replies pass the node's routing, so a Service works without br_netfilter. */
function podNetwork({ folder }: Layout) {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: addresses.pods }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: join(folder, 'cni/addresses'),
        },
      },
    ],
  };
}

function containerdConfig(name: string, layout: Layout, pauseImage: string): string {
  return `version = 3
root = '${join(layout.folder, 'containerd')}'
state = '/run/containerd'
[grpc]
  address = '${containerdSocket(name)}'
[ttrpc]
  address = '/run/containerd/containerd.ttrpc.sock'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '${pauseImage}'
[plugins.'io.containerd.cri.v1.runtime']
  # A machine may not allow a lower score than one's own.
  restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
  # By its path: a machine with Docker has an older one, which would be found first.
  runtime_path = '${tool('containerd-shim-runc-v2')}'
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['/usr/lib/cni']
  conf_dir = '${networksOf(layout)}'
`;
}

function kubeletConfig(name: string, { folder }: Layout) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.node,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(folder, 'pki/ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(folder, 'pki/kubelet.crt'),
    tlsPrivateKeyFile: join(folder, 'pki/kubelet.key'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroupOf(name)}`,
    ...(unified() ? {} : { failCgroupV1: false }),
    clusterDomain: 'cluster.local',
    clusterDNS: [addresses.dns],
    containerRuntimeEndpoint: `unix://${containerdSocket(name)}`,
    resolvConf: join(folder, 'resolv.conf'),
    oomScoreAdj: 0,
    serializeImagePulls: false,
    // Images were brought once and cannot be pulled again: none is ever collected.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  };
}

function kubeProxyConfig(layout: Layout) {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clusterCIDR: addresses.pods,
    hostnameOverride: 'node',
    clientConnection: { kubeconfig: kubeconfigOf(layout, 'system:kube-proxy') },
    // The limits of connection tracking belong to the whole machine.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value, null, 2));
}
