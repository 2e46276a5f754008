import type { Microservice } from '../api/microservice.generated.ts';
import type { ObjectKey } from '../api/object.ts';
import type { Budgets } from '../api/objectives.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ClusterError } from '../cluster/errors.ts';
import { desiredChildren } from '../desired/children.ts';
import { contentMark, contentRefs, missingContent } from '../desired/content.ts';
import type { ServiceType } from '../desired/service.ts';
import { applyPlan, type Outcome } from './apply.ts';
import { transitionEvent } from './events.ts';
import type { Pages } from './links.ts';
import { after, type Next, nextAfter, settled, soonest } from './next.ts';
import { type Observed, observe } from './observe.ts';
import { isRepair, planChanges } from './plan.ts';
import { elapsedMs } from './pod-status.ts';
import { worthWriting } from './report.ts';
import { liveContentMark } from './rollout.ts';
import { type Summary, summarise } from './status.ts';

/** What one pass needs of the world. `clock` is the only source of time; `log` takes what was done, with keys. */
export interface Deps {
  readonly cluster: Cluster;
  readonly clock: { now(): Date };
  readonly policy: Policy;
  readonly repairs?: Repairs;
  /** What is known of the error budgets of a Microservice: from memory, at once. Default: nobody has answered yet. */
  readonly budgets?: (key: ObjectKey) => Budgets;
  readonly log?: Log;
}

/** How often children may be repaired: somebody may undo each repair at once, and has to be slowed down. Default: always. */
export interface Repairs {
  /** 0, and it counts; or the milliseconds until the next may be made for that Microservice. */
  take(key: ObjectKey): number;
}

/** What the installation of the platform allows. */
export interface Policy {
  readonly serviceTypes: readonly ServiceType[];
  /** Whether the operator may read Secrets, and so sees that their content changes. */
  readonly readsSecrets: boolean;
  /** Where it takes traces, by OTLP over HTTP; nowhere when not stated. */
  readonly collector?: string | undefined;
  /** Where people look at what is measured; nowhere when not stated. */
  readonly pages?: Pages | undefined;
}

/** The part of a logger that the core uses: keys first, then a constant message in lower case. */
export interface Log {
  info(keys: Readonly<Record<string, unknown>>, message: string): void;
  warn(keys: Readonly<Record<string, unknown>>, message: string): void;
}

/** How long a pass waits for memory to show the last writes, unless a change wakes it before. */
const catchUpMs = 20;

/** So long the first pods of a Microservice wait for content that is missing; creation times are in whole seconds. */
const longestLateMs = 2_000;

/**
 * Brings the cluster one step closer to what a Microservice asks for.
 * Safe to call at any time and as often as you like: it reads the whole state,
 * decides from that alone, and remembers nothing.
 * @throws ClusterError `conflict` or `unavailable` when the same pass is worth trying again soon
 */
export async function reconcile(
  key: ObjectKey,
  { cluster, clock, policy, repairs, budgets, log }: Deps,
): Promise<Next> {
  if (!cluster.caughtUp(key)) return after(catchUpMs, 'memory does not show the last writes yet');
  const observed = observe(cluster, key);
  if (observed === undefined) return settled;

  const { microservice } = observed;
  const refs = contentRefs(microservice).filter(({ kind }) => kind === 'ConfigMap' || policy.readsSecrets);
  const digests = cluster.contents(key, refs);
  // Ends with an answer or a failure. Going on without would make pods that are replaced as soon as it is known.
  if (digests === undefined) return after(200, 'content in use is being read');
  const missing = missingContent(refs, digests);
  if (missing.length > 0 && isJustMade(observed, clock.now())) return after(200, 'content in use is missing');
  const { serviceTypes, collector, pages } = policy;
  const mark = contentMark(microservice, refs, digests, liveContentMark(observed));
  const desired = desiredChildren(microservice, { contentMark: mark, serviceTypes, collector });
  const plan = planChanges(desired, observed);
  const undoing = new Set(plan.filter((step) => isRepair(step, microservice)));
  const repairMs = undoing.size > 0 ? (repairs?.take(key) ?? 0) : 0;
  const remakes = repairMs === 0 && [...undoing].some(({ kind }) => kind === 'create');
  if (remakes && !(await isThere(cluster, microservice))) {
    return after(1_000, 'memory shows a Microservice that is gone');
  }
  const due = plan.filter((step) => repairMs === 0 || !undoing.has(step));
  const outcomes = await applyPlan(cluster, microservice, due);
  logOutcomes(log, key, outcomes);
  throwFirst(outcomes, 'conflict'); // weather: nobody needs to read of it

  const now = clock.now();
  const left = budgets?.(key) ?? ({ kind: 'unasked' } as const);
  const summary = summarise(observed, desired, outcomes, { missing, serviceTypes, now, budgets: left, pages });
  const reported = await report(cluster, observed, summary, now);
  throwFirst(outcomes, 'unavailable');
  const repaired = repairMs === 0 ? settled : after(repairMs, 'what is repaired is changed again and again');
  return soonest([...outcomes.map(nextAfter), waitFor(summary), reported, repaired]);
}

/**
 * Whether a Microservice is there, by the API server's own word. Children that went may have gone with their owner, of
 * which memory has not heard yet: made anew they would be nobody's.
 */
async function isThere(cluster: Cluster, { kind, metadata: { namespace, name, uid } }: Microservice): Promise<boolean> {
  const live = await cluster.read({ kind, namespace, name });
  return live?.metadata.uid === uid && live?.metadata.deletionTimestamp === undefined;
}

/**
 * Whether the first pods can wait a moment for content that is missing: it is often applied together with the
 * Microservice, and they would be made twice.
 */
function isJustMade({ microservice, children }: Observed, now: Date): boolean {
  if (children.some(({ kind }) => kind === 'Deployment')) return false;
  // Clocks differ: one that was made in the future is not waited for either.
  return Math.abs(elapsedMs(microservice.metadata.creationTimestamp, now)) < longestLateMs;
}

/** Writes the status when it says something new, and an event when readiness changed. */
async function report(
  cluster: Cluster,
  { microservice }: Observed,
  { status, verdict }: Summary,
  now: Date,
): Promise<Next> {
  const { write, lookAgainMs } = worthWriting(microservice.status, status, now);
  if (write) {
    await cluster.writeStatus(microservice, status);
    const event = transitionEvent(microservice, microservice.status, status, verdict);
    if (event) cluster.emit(event);
  }
  return lookAgainMs === undefined ? settled : after(lookAgainMs, 'numbers of pods are held back');
}

function waitFor({ verdict, lookAgainMs: scaledMs }: Summary): Next {
  const { lookAgainMs } = verdict.kind === 'ready' ? (verdict.meanwhile ?? {}) : verdict;
  const because = 'a trouble becomes known, or lasting, by time alone';
  return soonest([lookAgainMs, scaledMs].map((ms) => (ms === undefined ? settled : after(ms, because))));
}

function throwFirst(outcomes: readonly Outcome[], kind: ClusterError['kind']): void {
  for (const outcome of outcomes) {
    if (outcome.kind === 'failed' && outcome.error.kind === kind) throw outcome.error;
  }
}

function logOutcomes(log: Log | undefined, { namespace, name }: ObjectKey, outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) {
    const keys = {
      microservice: `${namespace}/${name}`,
      child: `${outcome.child.kind}/${outcome.child.name}`,
      outcome: outcome.kind,
    };
    if (outcome.kind === 'failed') log?.warn({ ...keys, error: outcome.error.message }, 'child not written');
    else if ('because' in outcome) log?.info({ ...keys, because: outcome.because }, 'child left alone');
    else log?.info(keys, 'child written');
  }
}
