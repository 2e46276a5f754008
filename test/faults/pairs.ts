import { paths } from '../support/kube-api.ts';
import { base, change, create, remove, type Workload } from './workloads.ts';
import { type Act, subject } from './world.ts';

/** Two acts of which the second takes the first back. */
export interface Pair extends Pick<Workload, 'name' | 'before'> {
  readonly acts: readonly [Act, Act];
  /** The workload whose end is that of the pair, where something is different in the end after all. */
  readonly like?: string;
}

const labels = (kind: 'Microservice' | 'Deployment', labelled: object): Act => {
  const pathOf = kind === 'Microservice' ? paths.microservices : paths.deployments;
  return (api, namespace) => api.patch(`${pathOf(namespace)}/${subject}`, { metadata: { labels: labelled } });
};
const affinity = (sessionAffinity: string): Act => {
  const patch = { spec: { sessionAffinity, ...(sessionAffinity === 'None' && { sessionAffinityConfig: null }) } };
  return (api, namespace) => api.patch(`${paths.services(namespace)}/${subject}`, patch);
};
const managedBy = 'app.kubernetes.io/managed-by';

export const pairs: readonly Pair[] = [
  {
    name: 'replicas 5 and back',
    before: { ...base, replicas: 3 },
    acts: [change({ replicas: 5 }), change({ replicas: 3 })],
  },
  { name: 'created, deleted', acts: [create(base), remove] },
  { name: 'deleted, made anew', before: base, acts: [remove, create(base)], like: 'deleted and made anew' },
  {
    name: 'autoscaler on, off',
    before: base,
    acts: [change({ autoscaling: { minReplicas: 3, maxReplicas: 5, cpu: 70 } }), change({ autoscaling: null })],
  },
  { name: 'suspended, resumed', before: base, acts: [change({ suspend: true }), change({ suspend: null })] },
  {
    name: 'label added, removed',
    before: base,
    acts: [labels('Microservice', { team: 'a' }), labels('Microservice', { team: null })],
  },
  {
    name: 'label of a child removed, added',
    before: base,
    acts: [labels('Deployment', { [managedBy]: null }), labels('Deployment', { [managedBy]: 'microservice-platform' })],
  },
  { name: 'child edited and back', before: base, acts: [affinity('ClientIP'), affinity('None')] },
];

/** @throws Error when there is none of that name */
export function pairOf(name: string): Pair {
  const found = pairs.find((pair) => pair.name === name);
  if (found === undefined) throw new Error(`there is no pair ${name}`);
  return found;
}
