import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLocalImages } from '../images.ts';
import { stateFolder } from '../paths.ts';

const volumeCount = 8;

/** What a bare Kubernetes lacks to be used: names, CPU and memory figures, and storage. As manifests, ready to apply. */
export function addons(name: string, references: ReadonlyMap<string, string>): string {
  const files = ['coredns.yaml', 'metrics-server.yaml'].map((file) =>
    readFileSync(join(import.meta.dirname, 'addons', file), 'utf8'),
  );
  return [withLocalImages(files.join('\n---\n'), references), ...storage(name)].join('\n---\n');
}

/** A default StorageClass, and volumes for it that are folders of the node. */
function storage(name: string): string[] {
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  const volumes = Array.from({ length: volumeCount }, (_, index) => {
    const path = join(stateFolder(name), 'volumes', String(index));
    mkdirSync(path, { recursive: true });
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `local-${index}` },
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'local',
        persistentVolumeReclaimPolicy: 'Retain',
        local: { path },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node'] }] },
            ],
          },
        },
      },
    };
  });
  return [storageClass, ...volumes].map((object) => JSON.stringify(object));
}
