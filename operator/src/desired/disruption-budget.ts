import type { V1PodDisruptionBudgetSpec } from '@kubernetes/client-node';
import type { Microservice } from '../api/microservice.generated.ts';
import type { Manifest } from '../api/object.ts';
import { childMetadata, selectorLabels } from './metadata.ts';

/**
 * How many pods may go at once when a node is drained. Counted by those that may be missing, never by those that have to
 * stay, and never 0, and pods that are not ready may always go: so no drain waits for ever, not even with one pod.
 */
export function disruptionBudget(ms: Microservice): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMetadata(ms),
    spec: {
      selector: { matchLabels: selectorLabels(ms) },
      maxUnavailable: ms.spec.disruption?.maxUnavailable ?? 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    } satisfies V1PodDisruptionBudgetSpec,
  };
}
