import type { Microservice } from '../api/microservice.generated.ts';
import type { KubeObject } from '../api/object.ts';

/**
 * - `ours`: this very Microservice controls the object.
 * - `leftover`: a Microservice of the same name that is gone controls it; the garbage collector will remove it.
 * - `foreign`: somebody else's. Never written, never adopted.
 */
export type Ownership = 'ours' | 'leftover' | 'foreign';

export function ownershipOf(object: KubeObject, ms: Microservice): Ownership {
  const controller = object.metadata.ownerReferences?.find((owner) => owner.controller);
  if (controller === undefined) return 'foreign';
  if (controller.uid === ms.metadata.uid) return 'ours';
  const sameName = controller.kind === ms.kind && controller.name === ms.metadata.name;
  return sameName ? 'leftover' : 'foreign';
}
