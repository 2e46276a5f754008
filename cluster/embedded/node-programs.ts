import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfigOf, type Layout, type Program } from '../control-plane.ts';
import { tool } from '../toolchain.ts';
import { unified } from './cgroups.ts';
import { addresses, cgroupOf, containerdSocket, layoutOf } from './layout.ts';

/** The image that holds a pod's namespaces; under a full name, so that no registry is asked for it. */
export const pauseImage = 'localhost/microservice-platform/pause:1';

/** containerd, kubelet and kube-proxy, with their configuration files written. */
export function nodePrograms(name: string): Program[] {
  const layout = layoutOf(name);
  return [containerd(name, layout), kubelet(name, layout), kubeProxy(layout)];
}

function containerd(name: string, { folder }: Layout): Program {
  const networks = join(folder, 'cni/net.d');
  mkdirSync(networks, { recursive: true });
  // Point to point, not a bridge: replies pass the node's routing, so a Service works without br_netfilter.
  writeJson(join(networks, '10-pods.conflist'), {
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
  });
  const file = join(folder, 'containerd.toml');
  writeFileSync(
    file,
    `version = 3
root = '${join(folder, 'containerd')}'
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
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['/usr/lib/cni']
  conf_dir = '${networks}'
`,
  );
  return { name: 'containerd', command: tool('containerd'), args: ['--config', file] };
}

function kubelet(name: string, layout: Layout): Program {
  const { folder } = layout;
  const file = join(folder, 'kubelet.json');
  writeJson(file, {
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
  });
  return {
    name: 'kubelet',
    command: tool('kubelet'),
    args: [
      `--config=${file}`,
      `--kubeconfig=${kubeconfigOf(layout, 'system:node:node')}`,
      `--root-dir=${join(folder, 'kubelet')}`,
      `--node-ip=${addresses.node}`,
      '--hostname-override=node',
    ],
  };
}

function kubeProxy(layout: Layout): Program {
  const file = join(layout.folder, 'kube-proxy.json');
  writeJson(file, {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clusterCIDR: addresses.pods,
    hostnameOverride: 'node',
    clientConnection: { kubeconfig: kubeconfigOf(layout, 'system:kube-proxy') },
    // The limits of connection tracking belong to the whole machine.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  });
  return { name: 'kube-proxy', command: tool('kube-proxy'), args: [`--config=${file}`] };
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value, null, 2));
}
