import type { V1Affinity, V1PodSpec, V1Toleration, V1TopologySpreadConstraint } from '@kubernetes/client-node';
import type { Microservice, SpreadConstraint } from '../api/microservice.generated.ts';
import { copyOf, stated } from './copy.ts';
import { selectorLabels } from './metadata.ts';

/** Pods over zones and nodes, as evenly as can be, unless the Microservice says otherwise. */
const spread: readonly SpreadConstraint[] = [
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
  { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
];

type Scheduling = Pick<
  V1PodSpec,
  'affinity' | 'nodeSelector' | 'priorityClassName' | 'tolerations' | 'topologySpreadConstraints'
>;

/** On which nodes the pods may run. */
export function scheduling(ms: Microservice): Scheduling {
  const { nodeSelector, tolerations, affinity, priorityClassName, topologySpreadConstraints } =
    ms.spec.scheduling ?? {};
  return {
    ...stated('nodeSelector', nodeSelector && { ...nodeSelector }),
    ...(tolerations?.length && { tolerations: copyOf<V1Toleration[]>(tolerations) }),
    ...stated('affinity', affinity && copyOf<V1Affinity>(affinity)),
    ...(priorityClassName && { priorityClassName }),
    topologySpreadConstraints: (topologySpreadConstraints ?? spread).map((constraint) => spreadOf(ms, constraint)),
  };
}

/** Pods of one version are spread among themselves: those of the version before are on their way out. */
function spreadOf(ms: Microservice, constraint: SpreadConstraint): V1TopologySpreadConstraint {
  const { topologyKey, whenUnsatisfiable, maxSkew = 1 } = constraint;
  return {
    maxSkew,
    topologyKey,
    whenUnsatisfiable,
    labelSelector: { matchLabels: selectorLabels(ms) },
    matchLabelKeys: ['pod-template-hash'],
  };
}
