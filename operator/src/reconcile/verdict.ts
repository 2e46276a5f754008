import type { Microservice } from '../api/microservice.generated.ts';
import type { KubeObject, ObjectRef } from '../api/object.ts';
import type { ClusterError } from '../cluster/errors.ts';
import type { ContentRef } from '../desired/content.ts';
import { progressDeadlineSeconds } from '../desired/deployment.ts';
import { selectorText } from '../desired/metadata.ts';
import { autoscalingOf, fewestReplicas } from '../desired/replicas.ts';
import type { ServiceType } from '../desired/service.ts';
import type { Outcome } from './apply.ts';
import { type Cause, type Finding, shortened } from './cause.ts';
import { refOf } from './plan.ts';
import { podCause } from './pod-causes.ts';
import { elapsedMs } from './pod-status.ts';
import { rolloutOf } from './rollout.ts';

/** All that a verdict is made from. */
export interface Evidence {
  readonly microservice: Microservice;
  /** The Deployment as it is after this pass, if there is one of ours. */
  readonly deployment: KubeObject | undefined;
  readonly pods: readonly KubeObject[];
  readonly outcomes: readonly Outcome[];
  /** What pods need of the content of ConfigMaps and Secrets, and is not there. */
  readonly missing: readonly ContentRef[];
  /** The types of Services that the installation of the platform allows. */
  readonly serviceTypes: readonly ServiceType[];
  readonly now: Date;
}

/** Whether everything that is asked for runs; if not, why, and whether waiting helps. */
export type Verdict = Ready | NotReady;
interface Ready extends Omit<Cause, 'permanent'> {
  readonly kind: 'ready';
  /** What the pods that an autoscaler asks for on top are waiting for. */
  readonly meanwhile?: NotReady;
}
interface NotReady extends Omit<Cause, 'permanent'>, Pick<Finding, 'lookAgainMs'> {
  readonly kind: 'reconciling' | 'stalled';
}

/** The order is the meaning: the first that has something to say is what the user reads. */
const judgements: readonly ((evidence: Evidence) => Verdict | undefined)[] = [
  refusedChild,
  failedWrite,
  notAllowed,
  awaitedChild,
  ready,
  scaling,
  refusedPods,
  withoutContent,
  brokenPods,
  missedDeadline,
];

export function judge(evidence: Evidence): Verdict {
  for (const judgement of judgements) {
    const verdict = judgement(evidence);
    if (verdict) return verdict;
  }
  return progressing(evidence);
}

function refusedChild({ outcomes }: Evidence): Verdict | undefined {
  const refused = outcomes.find((outcome) => outcome.kind === 'refused');
  return (
    refused && {
      kind: 'stalled',
      reason: 'Conflict',
      what: `there is a ${refused.child.kind} of this name that belongs to somebody else, and it was left alone`,
      where: inWords(refused.child),
      remedy: 'delete it if it is not needed, or give the Microservice another name',
    }
  );
}

/** Faults of writing, those first that only somebody can mend. */
function failedWrite({ outcomes }: Evidence): Verdict | undefined {
  const verdicts = outcomes.flatMap((outcome) =>
    outcome.kind === 'failed' ? verdictOn(outcome.error, outcome.child) : [],
  );
  return verdicts.find(({ kind }) => kind === 'stalled') ?? verdicts[0];
}

function verdictOn(error: ClusterError, child: ObjectRef): Verdict {
  const [what, where] = [shortened(error.message, 600), inWords(child)];
  switch (error.kind) {
    case 'invalid':
      return { kind: 'stalled', reason: 'Invalid', what, where, remedy: 'correct that field in spec' };
    case 'denied':
      return isAboutQuota(error.message)
        ? { kind: 'reconciling', reason: 'QuotaExceeded', what, where, remedy: quotaRemedy }
        : {
            kind: 'stalled',
            reason: 'Denied',
            what,
            where,
            remedy: 'check the rights of the operator, and the admission rules of the cluster',
          };
    case 'exists':
    case 'conflict':
    case 'gone':
    case 'unavailable':
      return {
        kind: 'reconciling',
        reason: 'WriteFailed',
        what,
        where,
        remedy: 'nothing, it is tried again; if it stays, check the API server and its admission webhooks',
      };
  }
}

function notAllowed({ microservice, serviceTypes }: Evidence): Verdict | undefined {
  const type = microservice.spec.service?.type ?? 'ClusterIP';
  if (serviceTypes.includes(type)) return undefined;
  const { namespace, name } = microservice.metadata;
  return {
    kind: 'stalled',
    reason: 'NotAllowed',
    what: `service.type ${type} is not allowed in this cluster, so the Service can be reached inside the cluster only`,
    where: inWords({ kind: 'Microservice', namespace, name }),
    remedy: `remove service.type, or have ${type} added to operator.serviceTypes of the installation of the platform`,
  };
}

function awaitedChild({ outcomes }: Evidence): Verdict | undefined {
  const awaited = outcomes.find((outcome) => outcome.kind === 'waiting');
  return (
    awaited && {
      kind: 'reconciling',
      reason: 'Progressing',
      what: `waiting for the ${awaited.child.kind}: ${awaited.because}`,
      where: inWords(awaited.child),
      remedy: 'nothing to do, unless it stays: then see who keeps it, in its metadata.finalizers',
    }
  );
}

function ready({ microservice, deployment }: Evidence): Verdict | undefined {
  if (deployment === undefined) return undefined;
  const { wanted, complete } = rolloutOf(deployment);
  const { image, suspend } = microservice.spec;
  const autoscaling = autoscalingOf(microservice);
  if (!complete || (autoscaling && wanted < fewestReplicas(autoscaling))) return undefined;
  const where = inWords(refOf(deployment));
  if (suspend) {
    const [what, remedy] = ['the service is switched off and no pods run', 'set spec.suspend to false to switch it on'];
    return { kind: 'ready', reason: 'Suspended', what, where, remedy };
  }
  return wanted === 0
    ? {
        kind: 'ready',
        reason: 'ScaledToZero',
        what: 'no pods are asked for and none run',
        where,
        remedy: 'set spec.replicas to start it',
      }
    : { kind: 'ready', reason: 'Available', what: `all pods run ${image}`, where, remedy: 'nothing to do' };
}

/**
 * A number that an autoscaler moved is a wish, its minimum the promise: as long as that many pods are available, and none
 * of another version exist, the service serves.
 */
function scaling(evidence: Evidence): Verdict | undefined {
  const { microservice, deployment } = evidence;
  const { image } = microservice.spec;
  const autoscaling = autoscalingOf(microservice);
  if (deployment === undefined || autoscaling === undefined) return undefined;
  const { current, uniform, finishedBefore, available } = rolloutOf(deployment);
  const oneVersion = current ? uniform && finishedBefore : wasReady(evidence);
  if (!oneVersion || available < fewestReplicas(autoscaling)) return undefined;
  return {
    kind: 'ready',
    reason: 'Available',
    what: `enough pods run ${image}, and the autoscaler asks for another number`,
    where: inWords(refOf(deployment)),
    remedy: 'nothing to do',
    meanwhile: refusedPods(evidence) ?? brokenPods(evidence) ?? progressing(evidence),
  };
}

/**
 * Whether the last status called this very spec Ready, and the Deployment was not written since. Then a change that
 * Kubernetes has not seen yet is somebody else's, the autoscaler's as a rule, and the word stands until it has.
 */
function wasReady({ microservice, outcomes }: Evidence): boolean {
  const said = microservice.status?.conditions?.find(({ type }) => type === 'Ready');
  return (
    said?.status === 'True' &&
    said.observedGeneration === microservice.metadata.generation &&
    !outcomes.some(({ child }) => child.kind === 'Deployment')
  );
}

function refusedPods(evidence: Evidence): NotReady | undefined {
  const { deployment } = evidence;
  const said = deployment && rolloutOf(deployment).podsRefused;
  if (deployment === undefined || said === undefined) return undefined;
  // The name of the pod that was not created is a new one at every try.
  const what = shortened(said.replace(/^pods "[^"]*" is forbidden: /, ''), 600);
  const where = inWords(refOf(deployment));
  return overTime(evidence, {
    ...(isAboutQuota(said)
      ? { reason: 'QuotaExceeded', remedy: quotaRemedy }
      : {
          reason: 'PodsRefused',
          remedy: 'check the namespace: its Pod Security level, LimitRange and admission rules',
        }),
    what: `no pods can be created: ${what}`,
    where,
    permanent: false,
  });
}

/** Known here before any pod tells: a volume that is missing is told in an event only. */
function withoutContent(evidence: Evidence): NotReady | undefined {
  const [missing] = evidence.missing;
  if (missing === undefined) return undefined;
  const { kind, name, keys } = missing;
  const { namespace } = evidence.microservice.metadata;
  const which = keys === undefined ? '' : ` with the key${keys.length === 1 ? '' : 's'} ${keys.join(', ')}`;
  return overTime(evidence, {
    reason: `${kind}Missing`,
    what: `the pods need a ${kind}${which}, and it is not there`,
    where: inWords({ kind, namespace, name }),
    remedy: 'create it, or correct the reference in spec',
    permanent: false,
  });
}

function brokenPods(evidence: Evidence): NotReady | undefined {
  const { microservice, deployment, pods, now } = evidence;
  const isLate = deployment !== undefined && rolloutOf(deployment).deadlineExceeded;
  const { cause, lookAgainMs } = podCause(pods, microservice, { now, isLate });
  if (cause === undefined) return undefined;
  return overTime(evidence, cause, lookAgainMs);
}

function missedDeadline({ deployment, microservice }: Evidence): Verdict | undefined {
  if (!deployment || !rolloutOf(deployment).deadlineExceeded) return undefined;
  return {
    kind: 'stalled',
    reason: 'DeadlineExceeded',
    what: `the rollout made no progress for ${progressDeadlineSeconds(microservice)} s`,
    where: inWords(refOf(deployment)),
    remedy: `see \`kubectl describe pods -n ${microservice.metadata.namespace} -l ${selectorText(microservice)}\``,
  };
}

function progressing({ microservice, pods, now }: Evidence): NotReady {
  const { lookAgainMs } = podCause(pods, microservice, { now, isLate: false });
  const { name, namespace } = microservice.metadata;
  return {
    kind: 'reconciling',
    reason: 'Progressing',
    what: `waiting for the pods of ${microservice.spec.image} to be ready`,
    where: inWords({ kind: 'Deployment', namespace, name }),
    remedy: 'nothing to do',
    ...(lookAgainMs !== undefined && { lookAgainMs }),
  };
}

/**
 * A trouble that may pass is `reconciling` until its time is up, and `stalled` then: at once when it is permanent, when
 * Kubernetes gives up the rollout, or, for pods that broke after a finished rollout, after as long a time.
 */
function overTime(evidence: Evidence, { permanent, ...cause }: Cause, lookAgainMs?: number): NotReady {
  const rollout = evidence.deployment && rolloutOf(evidence.deployment);
  if (permanent || rollout?.deadlineExceeded) return { kind: 'stalled', ...cause };
  if (!rollout?.finishedBefore)
    return { kind: 'reconciling', ...cause, ...(lookAgainMs !== undefined && { lookAgainMs }) };
  const leftMs = progressDeadlineSeconds(evidence.microservice) * 1000 - brokenForMs(evidence);
  if (leftMs <= 0) return { kind: 'stalled', ...cause };
  return { kind: 'reconciling', ...cause, lookAgainMs: Math.min(leftMs, lookAgainMs ?? leftMs) };
}

/** For how long the status has said that the Microservice is not ready. */
function brokenForMs({ microservice, now }: Evidence): number {
  const said = microservice.status?.conditions?.find(({ type }) => type === 'Ready');
  return said?.status === 'False' ? elapsedMs(said.lastTransitionTime, now) : 0;
}

const quotaRemedy = 'lower what the pods ask for, or have the ResourceQuota of the namespace raised';

/** Kubernetes tells a quota from other refusals in words only. */
function isAboutQuota(message: string): boolean {
  return message.includes('exceeded quota');
}

function inWords({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}
