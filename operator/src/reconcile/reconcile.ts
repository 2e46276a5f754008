import type { ObjectKey } from '../api/object.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ClusterError } from '../cluster/errors.ts';
import { desiredChildren } from '../desired/children.ts';
import { applyPlan, type Outcome } from './apply.ts';
import { transitionEvent } from './events.ts';
import { after, type Next, nextAfter, settled, soonest } from './next.ts';
import { type Observed, observe } from './observe.ts';
import { planChanges } from './plan.ts';
import { worthWriting } from './report.ts';
import { type Summary, summarise } from './status.ts';

/** What one pass needs of the world. `clock` is the only source of time; `log` takes what was done, with keys. */
export interface Deps {
  readonly cluster: Cluster;
  readonly clock: { now(): Date };
  readonly log?: Log;
}

/** The part of a logger that the core uses: keys first, then a constant message in lower case. */
export interface Log {
  info(keys: Readonly<Record<string, unknown>>, message: string): void;
  warn(keys: Readonly<Record<string, unknown>>, message: string): void;
}

/** How long a pass waits for memory to show the last writes, unless a change wakes it before. */
const catchUpMs = 20;

/**
 * Brings the cluster one step closer to what a Microservice asks for.
 * Safe to call at any time and as often as you like: it reads the whole state,
 * decides from that alone, and remembers nothing.
 * @throws ClusterError `conflict` or `unavailable` when the same pass is worth trying again soon
 */
export async function reconcile(key: ObjectKey, { cluster, clock, log }: Deps): Promise<Next> {
  if (!cluster.caughtUp(key)) return after(catchUpMs, 'memory does not show the last writes yet');
  const observed = observe(cluster, key);
  if (observed === undefined) return settled;

  const desired = desiredChildren(observed.microservice);
  const outcomes = await applyPlan(cluster, observed.microservice, planChanges(desired, observed));
  logOutcomes(log, key, outcomes);
  throwFirst(outcomes, 'conflict'); // weather: nobody needs to read of it

  const now = clock.now();
  const summary = summarise(observed, desired, outcomes, now);
  const reported = await report(cluster, observed, summary, now);
  throwFirst(outcomes, 'unavailable');
  return soonest([...outcomes.map(nextAfter), waitFor(summary), reported]);
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

function waitFor({ verdict }: Summary): Next {
  const { lookAgainMs } = verdict.kind === 'ready' ? (verdict.meanwhile ?? {}) : verdict;
  if (lookAgainMs === undefined) return settled;
  return after(lookAgainMs, 'a trouble becomes known, or lasting, by time alone');
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
