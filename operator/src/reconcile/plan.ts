import type { Microservice } from '../api/microservice.generated.ts';
import type { KubeObject, Manifest, ObjectRef } from '../api/object.ts';
import { headlessIp } from '../desired/service.ts';
import { driftOf, hashIn } from './drift.ts';
import { handover } from './handover.ts';
import type { Observed } from './observe.ts';
import { ownershipOf } from './ownership.ts';
import type { Step } from './step.ts';

/** What to do, and why; nothing is done here. Nothing at all when the children are what is asked for. */
export function planChanges(desired: readonly Manifest[], observed: Observed): readonly Step[] {
  const { microservice, children } = observed;
  const wanted = new Set(desired.map(idOf));
  const live = new Map(children.map((child) => [idOf(child), child]));
  return [
    ...children
      .filter((child) => !wanted.has(idOf(child)) && ownershipOf(child, microservice) === 'ours')
      .flatMap((child) => removal(child, 'it is no longer asked for')),
    ...desired.flatMap((manifest) => stepsFor(manifest, live.get(idOf(manifest)), microservice)),
  ];
}

/** What to do about one desired child, given what is there under its name. */
export function stepsFor(manifest: Manifest, live: KubeObject | undefined, ms: Microservice): readonly Step[] {
  if (live === undefined) return [{ kind: 'create', manifest }];
  const child = refOf(live);
  switch (ownershipOf(live, ms)) {
    case 'foreign':
      return [{ kind: 'refuse', child, because: 'it exists and does not belong to this Microservice' }];
    case 'leftover':
      return [{ kind: 'wait', child, because: 'the one of an earlier Microservice of this name has to go first' }];
    case 'ours':
      return isGoing(live)
        ? [{ kind: 'wait', child, because: 'it is being deleted, and is made anew after that' }]
        : update(manifest, live, ms);
  }
}

/** Whether a step undoes what somebody did to a child, rather than doing what somebody asked the Microservice for. */
export function isRepair(step: Step, { status }: Microservice): boolean {
  if (step.kind === 'apply') return hashIn(step.manifest) === hashIn(step.live);
  if (step.kind !== 'create') return false;
  return status?.children?.some(({ kind, name }) => `${kind}/${name}` === idOf(step.manifest)) ?? false;
}

function update(manifest: Manifest, live: KubeObject, ms: Microservice): readonly Step[] {
  const fixed = fixedDifference(manifest, live);
  if (fixed) return removal(live, `${fixed} cannot be changed, so it is made anew`);
  const drift = driftOf(manifest, live);
  const because = `${drift} is not what is asked for`;
  return [
    ...handover(manifest, live, ms),
    ...(drift === undefined ? [] : [{ kind: 'apply', manifest: forThisVery(live, manifest), live, because } as const]),
  ];
}

interface ServiceSpec {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly loadBalancerClass?: string;
}

/** Where a Service is not what is asked for in a way that the API server does not let anybody change. */
function fixedDifference(manifest: Manifest, live: KubeObject): string | undefined {
  if (manifest.kind !== 'Service') return undefined;
  const [asked, found] = [manifest.spec as ServiceSpec, live.spec as ServiceSpec];
  if ((asked.clusterIP === headlessIp) !== (found.clusterIP === headlessIp)) return 'spec.clusterIP';
  const balanced = asked.type === 'LoadBalancer' && found.type === 'LoadBalancer';
  return balanced && asked.loadBalancerClass !== found.loadBalancerClass ? 'spec.loadBalancerClass' : undefined;
}

function removal(child: KubeObject, because: string): readonly Step[] {
  const { uid } = child.metadata;
  if (uid === undefined || isGoing(child)) return [];
  return [{ kind: 'remove', child: { ...refOf(child), uid }, because }];
}

function isGoing(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** The manifest for exactly that live object: the API server refuses it for a later one of the same name. */
export function forThisVery(live: KubeObject, manifest: Manifest): Manifest {
  const { uid } = live.metadata;
  return { ...manifest, metadata: { ...manifest.metadata, ...(uid !== undefined && { uid }) } };
}

export function refOf({ kind, metadata: { namespace, name } }: KubeObject): ObjectRef {
  return { kind, namespace, name };
}

export function idOf({ kind, metadata: { name } }: KubeObject): string {
  return `${kind}/${name}`;
}
