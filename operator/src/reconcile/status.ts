import type { ConditionType } from '../api/conditions.ts';
import type { Condition, Microservice, MicroserviceStatus } from '../api/microservice.generated.ts';
import type { KubeObject, Manifest } from '../api/object.ts';
import type { Budgets } from '../api/objectives.ts';
import { versionOf } from '../desired/image.ts';
import { selectorText } from '../desired/metadata.ts';
import { autoscalingOf, fewestReplicas, replicasOf } from '../desired/replicas.ts';
import { serviceUrl } from '../desired/service.ts';
import type { Outcome } from './apply.ts';
import { autoscalerCause } from './autoscaler-cause.ts';
import { type Cause, messageOf } from './cause.ts';
import { linksStatus, type Pages } from './links.ts';
import type { Observed } from './observe.ts';
import { ownershipOf } from './ownership.ts';
import { idOf } from './plan.ts';
import { rolloutOf } from './rollout.ts';
import { sloStatus } from './slo.ts';
import { type Evidence, judge, type Verdict } from './verdict.ts';

export interface Summary {
  readonly status: MicroserviceStatus;
  readonly verdict: Verdict;
  /** In how many milliseconds an autoscaler that lacks figures is told of, if it still does. */
  readonly lookAgainMs?: number;
}

/** What a status follows from beside the cluster. */
interface Given extends Pick<Evidence, 'missing' | 'now' | 'serviceTypes'> {
  readonly budgets?: Budgets;
  readonly pages?: Pages | undefined;
}

/** The status that follows from what was seen and done in this pass, and from nothing else but the time. */
export function summarise(
  observed: Observed,
  desired: readonly Manifest[],
  outcomes: readonly Outcome[],
  { missing, serviceTypes, now, budgets = { kind: 'unasked' }, pages }: Given,
): Summary {
  const { microservice, pods } = observed;
  const children = childrenAfter(observed, outcomes);
  const deployment = children.find(({ kind }) => kind === 'Deployment');
  const verdict = judge({ microservice, deployment, pods, outcomes, missing, serviceTypes, now });
  const autoscaler = children.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
  const { cause, lookAgainMs } = autoscalerCause(microservice, autoscaler, now);
  const wanted = new Set(desired.map(idOf));
  return {
    verdict,
    ...(lookAgainMs !== undefined && { lookAgainMs }),
    status: {
      observedGeneration: generationOf(microservice),
      conditions: conditions(microservice, verdict, cause, now),
      ...podCounts(microservice, deployment),
      selector: selectorText(microservice),
      scale: scaleText(microservice),
      ...imageStatus(microservice, deployment),
      ...urlStatus(microservice),
      ...linksStatus(microservice, pages),
      ...sloStatus(microservice, budgets),
      children: children
        .filter((child) => wanted.has(idOf(child)))
        .map(({ kind, metadata: { name } }) => ({ kind, name })),
    },
  };
}

/** Our children as they are after the writes of this pass: what a write answered is newer than what was observed. */
function childrenAfter({ microservice, children }: Observed, outcomes: readonly Outcome[]): readonly KubeObject[] {
  const after = new Map(
    children.filter((child) => ownershipOf(child, microservice) === 'ours').map((child) => [idOf(child), child]),
  );
  for (const outcome of outcomes) {
    if ('object' in outcome) after.set(idOf(outcome.object), outcome.object);
    if (outcome.kind === 'removed') after.delete(`${outcome.child.kind}/${outcome.child.name}`);
  }
  return [...after.values()].toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/**
 * Ready always; Reconciling or Stalled only while true, and never both: that is what kstatus reads. An autoscaler without
 * figures takes nothing from what runs, so it has a condition of its own.
 */
function conditions(ms: Microservice, verdict: Verdict, unscaled: Cause | undefined, now: Date): Condition[] {
  const condition = (
    type: ConditionType,
    status: 'True' | 'False',
    { reason, ...words }: Pick<Cause, 'reason' | 'what' | 'where' | 'remedy'> = verdict,
  ): Condition => {
    const before = ms.status?.conditions?.find((candidate) => candidate.type === type);
    return {
      type,
      status,
      reason,
      message: messageOf(words),
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : timeText(now),
      observedGeneration: generationOf(ms),
    };
  };
  const inactive = unscaled ? [condition('AutoscalingInactive', 'True', unscaled)] : [];
  switch (verdict.kind) {
    case 'ready':
      return [
        condition('Ready', 'True'),
        // While the service serves, more pods or fewer are work that goes on, whatever keeps them.
        ...(verdict.meanwhile ? [condition('Reconciling', 'True', verdict.meanwhile)] : []),
        ...inactive,
      ];
    case 'reconciling':
      return [condition('Ready', 'False'), condition('Reconciling', 'True'), ...inactive];
    case 'stalled':
      return [condition('Ready', 'False'), condition('Stalled', 'True'), ...inactive];
  }
}

function podCounts(ms: Microservice, deployment: KubeObject | undefined) {
  const autoscaling = autoscalingOf(ms);
  const none = { existing: 0, ready: 0, wanted: autoscaling ? fewestReplicas(autoscaling) : replicasOf(ms) };
  const { existing, ready, wanted } = deployment ? rolloutOf(deployment) : none;
  return { replicas: existing, readyReplicas: ready, pods: `${ready}/${wanted}` };
}

function scaleText(ms: Microservice): string {
  const autoscaling = autoscalingOf(ms);
  if (autoscaling === undefined) return String(replicasOf(ms));
  const { maxReplicas, cpu, memory, requestsPerSecond, metrics = [] } = autoscaling;
  const targets = Object.entries({ cpu, memory }).flatMap(([name, percent]) =>
    percent === undefined ? [] : `${name} ${percent}%`,
  );
  const requests = requestsPerSecond === undefined ? [] : [`${requestsPerSecond} req/s`];
  const further = metrics.length === 0 ? [] : [`${metrics.length} metric${metrics.length === 1 ? '' : 's'}`];
  return `${fewestReplicas(autoscaling)}-${maxReplicas} @ ${[...targets, ...requests, ...further].join(', ')}`;
}

/** The image that all pods run; while they do not all run the same, the one that was known before. */
function imageStatus(ms: Microservice, deployment: KubeObject | undefined) {
  const complete = deployment !== undefined && rolloutOf(deployment).complete;
  const image = (complete ? imageOf(deployment, ms.metadata.name) : undefined) ?? ms.status?.image;
  return image === undefined ? {} : { image, version: versionOf(image) };
}

function imageOf(deployment: KubeObject, container: string): string | undefined {
  const { template } = deployment.spec as {
    readonly template?: {
      readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] };
    };
  };
  return template?.spec?.containers?.find(({ name }) => name === container)?.image;
}

function urlStatus(ms: Microservice) {
  const url = serviceUrl(ms);
  return url === undefined ? {} : { url };
}

function generationOf(ms: Microservice): number {
  return ms.metadata.generation ?? 0;
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
function timeText(time: Date): string {
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
