import type { MicroserviceSpec } from '../../operator/src/api/microservice.generated.ts';
import type { KubeApi, Wire } from '../support/kube-api.ts';
import { paths } from '../support/kube-api.ts';
import { type Act, subject } from './world.ts';

/** What somebody does to one Microservice, step by step; each step is waited for. */
export interface Workload {
  readonly name: string;
  /** What is there before, at rest; undefined: nothing. */
  readonly before?: MicroserviceSpec;
  readonly steps: readonly Act[];
}

const ports = [{ name: 'http', containerPort: 8080, servicePort: 80 }];
/** Two pods and a Service. */
export const base: MicroserviceSpec = {
  image: 'example.test/orders:1.0.0',
  replicas: 2,
  ports,
  env: [{ name: 'LEVEL', value: 'info' }],
  resources: { requests: { cpu: '100m' } },
};
const autoscaling = { minReplicas: 2, maxReplicas: 5, cpu: 70 };
const liveness = { httpGet: { path: '/healthz' }, periodSeconds: 17 };

/** Every child there is. */
export const full: MicroserviceSpec = { ...base, autoscaling, config: { data: { GREETING: 'hello' } } };

export const workloads: readonly Workload[] = [
  { name: 'create', steps: [create(full)] },
  { name: 'new image', before: base, steps: [change({ image: 'example.test/orders:1.0.1' })] },
  { name: 'new environment', before: base, steps: [change({ env: [{ name: 'LEVEL', value: 'debug' }] })] },
  { name: 'scale', before: base, steps: [change({ replicas: 3 })] },
  { name: 'autoscaler on', before: base, steps: [change({ autoscaling })] },
  { name: 'autoscaler off', before: { ...base, autoscaling }, steps: [change({ autoscaling: null })] },
  { name: 'port renamed', before: base, steps: [change({ ports: [{ ...ports[0], name: 'web' }] })] },
  {
    name: 'probe added, probe removed',
    before: base,
    steps: [change({ probes: { liveness } }), change({ probes: null })],
  },
  { name: 'delete', before: full, steps: [remove] },
  { name: 'namespace deleted', before: full, steps: [removeNamespace] },
  { name: 'deleted and made anew', before: base, steps: [makeAnew(base)] },
];

/** One that takes its time. */
export const threeEdits: Workload = {
  name: 'three edits',
  before: base,
  steps: [
    change({ image: 'example.test/orders:1.0.1' }),
    change({ env: [{ name: 'LEVEL', value: 'debug' }] }),
    change({ replicas: 3 }),
  ],
};

/** @throws Error when there is none of that name */
export function workloadOf(name: string): Workload {
  const found = [...workloads, threeEdits].find((workload) => workload.name === name);
  if (found === undefined) throw new Error(`there is no workload ${name}`);
  return found;
}

export function create(spec: MicroserviceSpec): Act {
  const object = {
    apiVersion: 'microservice-platform.io/v1alpha1',
    kind: 'Microservice',
    metadata: { name: subject },
    spec,
  };
  return (api, namespace) => api.post(`${paths.microservices(namespace)}?fieldValidation=Strict`, object);
}

/** A merge patch of the spec. */
export function change(spec: object): Act {
  return (api, namespace) => api.patch(`${paths.microservices(namespace)}/${subject}`, { spec });
}

export function remove(api: KubeApi, namespace: string): Promise<Wire> {
  return api.delete(`${paths.microservices(namespace)}/${subject}`);
}

function removeNamespace(api: KubeApi, namespace: string): Promise<Wire> {
  return api.delete(`/api/v1/namespaces/${namespace}`);
}

/** Without waiting between the two: the children of the first are still there. */
function makeAnew(spec: MicroserviceSpec): Act {
  return async (api, namespace) => {
    await remove(api, namespace);
    return create(spec)(api, namespace);
  };
}
