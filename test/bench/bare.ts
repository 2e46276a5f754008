import { fieldManager, managedBy, managedByLabel } from '../../operator/src/api/labels.ts';
import type { Microservice } from '../../operator/src/api/microservice.generated.ts';
import type { KubeObject, Manifest, ObjectKey } from '../../operator/src/api/object.ts';
import { apply, create, patch } from '../../operator/src/cluster/resource.ts';
import { desiredChildren } from '../../operator/src/desired/children.ts';
import { summarise } from '../../operator/src/reconcile/status.ts';
import { makeNamespace } from '../support/kube-api.ts';
import { rolledOut } from '../support/live-objects.ts';
import type { Bed } from './bed.ts';
import { Fleet } from './fleet.ts';
import { benchMicroservice, imageOf } from './microservice.ts';
import { sideBySide } from './side-by-side.ts';

/**
 * Requests a second that the API server takes when nobody thinks about them: for each Microservice its children, in the
 * same way and over as many connections as the operator creates them, and two statuses. No operator may run.
 */
export async function bareRate(bed: Bed, count: number): Promise<number> {
  const fleet = await Fleet.found(bed);
  await fleet.grow(count);
  await bed.outside.sees('the Microservices', { kind: 'Microservice', keys: fleet.keys, isSo: () => true });
  const microservices = fleet.keys.map((key) => bed.outside.object('Microservice', key) as Microservice);
  const start = performance.now();
  await sideBySide(microservices, (each) => writeAll(bed, each));
  const seconds = (performance.now() - start) / 1000;
  await fleet.clear();
  return (count * (fleet.childKinds.length + statuses)) / seconds;
}

/** For each Microservice, one when its children are there and one when its pods are. */
const statuses = 2;

async function writeAll({ user }: Bed, microservice: Microservice): Promise<void> {
  const desired = desiredChildren(microservice);
  const children = await Promise.all(desired.map((manifest) => create(user, manifest, { fieldManager })));
  const ready = children.map((child) => (child.kind === 'Deployment' ? { ...child, status: rolledOut(1) } : child));
  for (const each of [children, ready]) {
    const status = statusOf(microservice, desired, each);
    await patch(user, microservice, { status }, { fieldManager, subresource: 'status' });
  }
}

function statusOf(microservice: Microservice, desired: readonly Manifest[], children: readonly KubeObject[]) {
  const evidence = { missing: [], serviceTypes: ['ClusterIP'] as const, now: new Date() };
  return summarise({ microservice, children, pods: [] }, desired, [], evidence).status;
}

/**
 * Milliseconds from the moment that a changed Deployment is sent until a watch shows it, several times: what every
 * operator pays at least.
 */
export async function bareWrites(bed: Bed, times: number): Promise<readonly number[]> {
  const key = { namespace: await makeNamespace(bed.api), name: 'nobody' };
  const samples: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const deployment = ofNobody(key, `example.test/bench:bare-${i}`);
    const isSo = (object: KubeObject) => imageOf(object) === imageOf(deployment);
    const seen = bed.outside.sees('a bare write', { kind: 'Deployment', keys: [key], isSo });
    const start = performance.now();
    const [seenAt] = await Promise.all([seen, apply(bed.user, deployment, { fieldManager })]);
    samples.push(seenAt - start);
  }
  return samples;
}

/** A Deployment as the operator makes them, that belongs to no Microservice. */
function ofNobody(key: ObjectKey, image: string): Manifest {
  const deployment = desiredChildren(benchMicroservice(key, image)).find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined) throw new Error('a Microservice has a Deployment');
  return { ...deployment, metadata: { ...key, labels: { [managedByLabel]: managedBy } } };
}
