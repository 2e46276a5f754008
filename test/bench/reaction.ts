import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject, ObjectKey } from '../../operator/src/api/object.ts';
import { remove } from '../../operator/src/cluster/resource.ts';
import type { Bed } from './bed.ts';
import type { Fleet } from './fleet.ts';
import { imageOf } from './microservice.ts';

/** Between two measurements, so that what the operator still does after one (an event, a pass that finds nothing) is over. */
const betweenMs = 150;

/**
 * Edits the image of Microservices, one after the other. Milliseconds from the answer to the edit until a watch from
 * outside shows the changed Deployment.
 */
export async function edits(bed: Bed, fleet: Fleet, keys: readonly ObjectKey[]): Promise<readonly number[]> {
  const samples: number[] = [];
  for (const key of keys) {
    const image = `example.test/bench:edit-${performance.now()}`;
    const isSo = (deployment: KubeObject) => imageOf(deployment) === image;
    const seen = bed.outside.sees('the edit in the Deployment', { kind: 'Deployment', keys: [key], isSo });
    const [seenAt, answeredAt] = await Promise.all([seen, fleet.edit(key, image)]);
    samples.push(seenAt - answeredAt);
    await fleet.settle([key]);
    await sleep(betweenMs);
  }
  return samples;
}

/**
 * Deletes children, one after the other and each kind in turn. Milliseconds from the answer to the deletion until a
 * watch from outside shows a new child in its place.
 */
export async function repairs(bed: Bed, fleet: Fleet, keys: readonly ObjectKey[]): Promise<readonly number[]> {
  const { childKinds } = fleet;
  const samples: number[] = [];
  for (const [i, key] of keys.entries()) {
    const kind = childKinds[i % childKinds.length] ?? 'Deployment';
    const { uid = '' } = bed.outside.object(kind, key).metadata;
    const isSo = ({ metadata }: KubeObject) => metadata.uid !== uid;
    const seen = bed.outside.sees(`another ${kind}`, { kind, keys: [key], isSo });
    const removed = remove(bed.user, { kind, ...key, uid }).then(() => performance.now());
    const [seenAt, answeredAt] = await Promise.all([seen, removed]);
    samples.push(seenAt - answeredAt);
    await sleep(betweenMs);
    await fleet.settle([key]);
  }
  return samples;
}
