import { microserviceLabel } from '../../operator/src/api/labels.ts';
import type { KubeObject, Manifest, ObjectKey } from '../../operator/src/api/object.ts';
import { fromKubeconfig } from '../../operator/src/cluster/connection.ts';
import { ContentKey } from '../../operator/src/cluster/content-key.ts';
import { KubeCluster, type KubeClusterOptions } from '../../operator/src/cluster/kube-cluster.ts';
import { idOf } from '../../operator/src/cluster/store.ts';
import { Transport, type TransportOptions } from '../../operator/src/cluster/transport.ts';

/** The operator's view of a cluster, without an operator around it. */
export interface Engine extends AsyncDisposable {
  readonly cluster: KubeCluster;
  readonly transport: Transport;
  /** Ids of the Microservices for which work was asked, in order. */
  readonly asked: string[];
  /** What was logged: level, message and keys. */
  readonly logged: { readonly level: string; readonly message: string; readonly [key: string]: unknown }[];
}

export type EngineOptions = TransportOptions &
  Pick<Partial<KubeClusterOptions>, 'namespaces' | 'inactivityMs' | 'onChange' | 'onEventDropped'> & {
    /** The Secret that keeps the key of the digests of Secrets. */
    readonly contentKey?: ObjectKey;
  };

export async function openEngine(
  kubeconfig: string,
  { contentKey: secret, ...options }: EngineOptions = {},
): Promise<Engine> {
  const asked: string[] = [];
  const logged: Engine['logged'] = [];
  const at = (level: string) => (keys: object, message: string) => void logged.push({ ...keys, level, message });
  const transport = new Transport(await fromKubeconfig(kubeconfig), options);
  const log = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  } as KubeClusterOptions['log'];
  const cluster = new KubeCluster({
    transport,
    log,
    contentKey: secret && new ContentKey({ transport, secret, log }),
    instance: 'test',
    onChange: (key) => asked.push(idOf(key)),
    ...options,
  });
  return {
    cluster,
    transport,
    asked,
    logged,
    [Symbol.asyncDispose]: async () => {
      await cluster.stop();
      await transport.close(100);
    },
  };
}

/** A Service as the operator would make one for a Microservice. */
export function serviceOf(key: ObjectKey, port = 80, name = key.name): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: key.namespace, name, labels: ownLabels(key) },
    spec: { selector: { [microserviceLabel]: key.name }, ports: [{ name: 'http', port, protocol: 'TCP' }] },
  } as KubeObject;
}

export function ownLabels({ name }: ObjectKey): Record<string, string> {
  return { 'app.kubernetes.io/managed-by': 'microservice-platform', [microserviceLabel]: name };
}

/** The smallest valid Microservice, altered by what a test is about. */
export function microservice({ namespace, name }: ObjectKey, spec: object = {}): KubeObject {
  return {
    apiVersion: 'microservice-platform.io/v1alpha1',
    kind: 'Microservice',
    metadata: { namespace, name },
    spec: { image: 'example.test/orders:1.0.0', ports: [{ name: 'http', containerPort: 8080 }], ...spec },
  };
}
