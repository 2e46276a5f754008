import { handoverFieldManager } from '../api/labels.ts';
import type { Microservice } from '../api/microservice.generated.ts';
import type { KubeObject, ObjectRef } from '../api/object.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ClusterError } from '../cluster/errors.ts';
import { hashIn } from './drift.ts';
import { withoutIntruders } from './intruders.ts';
import { refOf, stepsFor } from './plan.ts';
import type { Step } from './step.ts';

/** What came of one step. */
export type Outcome =
  /** The child is now `object`, as the API server answered. */
  | {
      readonly kind: 'created' | 'configured' | 'handed-over';
      readonly child: ObjectRef;
      readonly object: KubeObject;
    }
  | { readonly kind: 'removed'; readonly child: ObjectRef }
  | { readonly kind: 'waiting'; readonly child: ObjectRef; readonly because: string }
  | { readonly kind: 'refused'; readonly child: ObjectRef; readonly because: string }
  | { readonly kind: 'failed'; readonly child: ObjectRef; readonly error: ClusterError };

/**
 * Carries out a plan: the steps of one child in order, children of one turn side by side. One outcome for each step that
 * was tried; after a step that failed, the later steps of the same child are left for the next pass.
 */
export async function applyPlan(
  cluster: Cluster,
  ms: Microservice,
  plan: readonly Step[],
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const turn of turns) {
    const isHeldBack = outcomes.some(isInTheWay);
    const steps = plan.filter((step) => turnOf(step) === turn && !(isHeldBack && isWorkload(childOf(step))));
    const byChild = Map.groupBy(steps, (step) => `${childOf(step).kind}/${childOf(step).name}`);
    const done = await Promise.all([...byChild.values()].map((ofOne) => inOrder(cluster, ms, ofOne)));
    outcomes.push(...done.flat());
  }
  return outcomes;
}

/**
 * An autoscaler goes before the operator sets the replicas again, and comes after the operator has stopped: were both
 * there at once, each would undo what the other set. What pods need comes before the pods: without their ServiceAccount
 * they are refused, and with one that is somebody else's they would run as somebody else.
 */
const turns = ['what goes', 'what pods need', 'what stays', 'what scales'] as const;

function turnOf(step: Step): (typeof turns)[number] {
  if (step.kind === 'remove') return 'what goes';
  const { kind } = childOf(step);
  if (isNeededByPods(kind)) return 'what pods need';
  return kind === 'HorizontalPodAutoscaler' ? 'what scales' : 'what stays';
}

function isNeededByPods(kind: string): boolean {
  return kind === 'ServiceAccount' || kind === 'ConfigMap';
}

function isWorkload({ kind }: ObjectRef): boolean {
  return kind === 'Deployment';
}

/** Whether something that pods need is not there as it has to be, so that the workload has to wait. */
function isInTheWay({ kind, child }: Outcome): boolean {
  return isNeededByPods(child.kind) && (kind === 'refused' || kind === 'waiting' || kind === 'failed');
}

async function inOrder(cluster: Cluster, ms: Microservice, steps: readonly Step[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    const outcome = await attempt(cluster, ms, step);
    outcomes.push(outcome);
    if (outcome.kind === 'failed') break;
  }
  return outcomes;
}

async function attempt(cluster: Cluster, ms: Microservice, step: Step): Promise<Outcome> {
  try {
    return await carryOut(cluster, ms, step);
  } catch (error) {
    if (error instanceof ClusterError) return { kind: 'failed', child: childOf(step), error };
    throw error;
  }
}

async function carryOut(cluster: Cluster, ms: Microservice, step: Step): Promise<Outcome> {
  const child = childOf(step);
  switch (step.kind) {
    case 'create':
      return createOrTakeUp(cluster, ms, step);
    case 'apply':
      return { kind: 'configured', child, object: await configure(cluster, step) };
    case 'handover': {
      const object = await cluster.apply(step.manifest, { fieldManager: handoverFieldManager });
      return { kind: 'handed-over', child, object };
    }
    case 'remove':
      await cluster.remove(step.child);
      return { kind: 'removed', child };
    case 'wait':
      return { kind: 'waiting', child, because: step.because };
    case 'refuse':
      return { kind: 'refused', child, because: step.because };
  }
}

/**
 * Applies, and takes out what others put into the lists that are ours. When the Microservice was changed since the
 * last apply, ports that are too many may be our own, and then go by the apply alone; so that is tried first.
 */
async function configure(cluster: Cluster, { manifest, live }: Extract<Step, { kind: 'apply' }>): Promise<KubeObject> {
  const patch = withoutIntruders(manifest, live);
  if (patch === undefined) return cluster.apply(manifest);
  if (hashIn(manifest) !== hashIn(live)) {
    try {
      return await cluster.apply(manifest);
    } catch (error) {
      if (!(error instanceof ClusterError && error.kind === 'invalid')) throw error;
    }
  }
  await cluster.patch(live, patch);
  return cluster.apply(manifest);
}

/** Watches show labelled objects only: one that is there without our labels is met here, and judged by its owner. */
async function createOrTakeUp(
  cluster: Cluster,
  ms: Microservice,
  step: Extract<Step, { kind: 'create' }>,
): Promise<Outcome> {
  const child = childOf(step);
  try {
    return { kind: 'created', child, object: await cluster.create(step.manifest) };
  } catch (error) {
    if (!(error instanceof ClusterError && error.kind === 'exists')) throw error;
  }
  const live = await cluster.read(child);
  if (live === undefined) return { kind: 'waiting', child, because: 'it was deleted just now' };
  let outcome: Outcome = { kind: 'configured', child, object: live };
  for (const next of stepsFor(step.manifest, live, ms)) outcome = await carryOut(cluster, ms, next);
  return outcome;
}

function childOf(step: Step): ObjectRef {
  return 'child' in step ? step.child : refOf(step.manifest);
}
