import type { Microservice } from '../api/microservice.generated.ts';
import type { KubeObject, ObjectKey } from '../api/object.ts';
import type { Cluster } from '../cluster/cluster.ts';

/** All that one pass looks at, read once. */
export interface Observed {
  readonly microservice: Microservice;
  readonly children: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
}

/** Undefined when there is nothing to do: the Microservice is gone, or going, and its owner references clean up. */
export function observe(cluster: Cluster, key: ObjectKey): Observed | undefined {
  const microservice = cluster.microservice(key);
  if (microservice === undefined || microservice.metadata.deletionTimestamp !== undefined) return undefined;
  return {
    // The API server has checked it against the schema that the type is generated from.
    microservice: microservice as Microservice,
    children: cluster.children(key),
    pods: cluster.pods(key),
  };
}
