import { setTimeout as sleep } from 'node:timers/promises';
import type { Essence } from '../../support/essence.ts';
import { eventually } from '../../support/eventually.ts';
import type { Campaign, Scene } from '../campaign.ts';
import { firstMark, generationOf, type Lane, lanes, openLane, stateOfLane } from '../lanes.ts';
import { stateProblems, truthProblems } from '../oracles.ts';
import type { Plan, Result } from '../plan.ts';
import { shuffled } from '../random.ts';
import { swallowed, type WatchFault, watchFaults } from '../watch-faults.ts';
import type { World } from '../world.ts';

/** How often each fault strikes each watch. */
const rounds = 4;
/** The watches that are swallowed, once each: it takes the operator's whole patience. */
const swallowedWatches = ['microservices', 'deployments', 'metadata of configmaps'];

/** An operator that has not reacted after this is deaf. Its patience with a watch on which nothing comes is 90 s. */
const deafAfterMs = { broken: 20_000, swallowed: 110_000 };
/** A watch that lasted so long is a good one to the operator: what happens to it next is no second failure in a row. */
const goodWatchMs = 5_200;

/** The operator holds repairs back that are undone again and again, and this is not what is asked here. */
const editsOfOne = 13;

/** Each watch is broken in every way while something is edited of which the operator hears by that watch alone. */
export const watchesBroken: Campaign = {
  id: 'C4',
  title: 'each watch is broken in every way, and an edit of which it alone tells is reacted to',
  bounds: [
    { measure: 'reactionMs', of: 'p99', atMost: 5_000 },
    { measure: 'reactionAfterSwallowedMs', of: 'max', atMost: 95_000 },
  ],

  slow: [swallowed.name],

  async plans({ seed }) {
    return lanes.flatMap(({ resource }, lane) => lanePlans(resource, seed + lane));
  },

  async run(scene, plans, tell) {
    // As long as one watch tells nothing, the operator waits in vain to see what it wrote: the others have to do without it.
    const isLong = ({ fault }: Plan) => fault === swallowed.name;
    for (const part of [plans.filter((plan) => !isLong(plan)), plans.filter(isLong)]) {
      const byLane = Map.groupBy(part, ({ workload }) => workload);
      await Promise.all([...byLane].map(([resource, ofOne]) => runLane(scene, laneOf(resource), ofOne, tell)));
    }
  },
};

/** The faults of one watch in an order that the seed tells. */
export function lanePlans(resource: string, seed: number): readonly Plan[] {
  const names = Array.from({ length: rounds }, () => watchFaults.map(({ name }) => name)).flat();
  const all = swallowedWatches.includes(resource) ? [...names, swallowed.name] : names;
  return shuffled(all, seed).map((fault, at) => ({ campaign: 'C4', workload: resource, fault, at, seed }));
}

function laneOf(resource: string): Lane {
  const found = lanes.find((lane) => lane.resource === resource);
  if (found === undefined) throw new Error(`no edit is known that only the watch of ${resource} tells of`);
  return found;
}

function faultOf(name: string): WatchFault {
  const found = [...watchFaults, swallowed].find((fault) => fault.name === name);
  if (found === undefined) throw new Error(`there is no fault of watches ${name}`);
  return found;
}

async function runLane(
  { world }: Scene,
  lane: Lane,
  plans: readonly Plan[],
  tell: (result: Result) => void,
): Promise<void> {
  for (let at = 0; at < plans.length; at += editsOfOne) {
    const part = plans.slice(at, at + editsOfOne);
    await runPart(world, lane, part, tell);
    if (at + editsOfOne < plans.length) await sleep(goodWatchMs);
  }
}

/** Plans of a lane that follow each other with the same Microservice. */
async function runPart(
  world: World,
  lane: Lane,
  plans: readonly Plan[],
  tell: (result: Result) => void,
): Promise<void> {
  const namespace = await openLane(world, lane);
  let last = firstMark;
  for (const [index, plan] of plans.entries()) {
    const next = `mark-${plan.at}-of-${plan.seed}`;
    tell(await strikeAndEdit({ world, lane, namespace }, plan, { last, next }));
    last = next;
    if (faultOf(plan.fault).breaks && index < plans.length - 1) await sleep(goodWatchMs);
  }
  await world.clear([namespace]);
}

interface Place {
  readonly world: World;
  readonly lane: Lane;
  readonly namespace: string;
}

async function strikeAndEdit(
  place: Place,
  plan: Plan,
  marks: { readonly last: string; readonly next: string },
): Promise<Result> {
  const started = performance.now();
  const { world, lane, namespace } = place;
  const { resource } = lane;
  const fault = faultOf(plan.fault);
  const before = stateOfLane(world, namespace, marks.last);
  const lies = truthProblems(world.observer.history(namespace)).length;
  const measures: Record<string, number> = {};
  const problems: string[] = [];
  const strike = await fault.strike(world, resource, namespace);
  const generation = generationOf(world, namespace);
  try {
    const name = fault === swallowed ? 'reactionAfterSwallowedMs' : 'reactionMs';
    measures[name] = await reactionMs(
      place,
      marks.next,
      fault === swallowed ? deafAfterMs.swallowed : deafAfterMs.broken,
    );
    await eventually(() => mustEqual(stateOfLane(world, namespace, marks.next), before), { withinMs: 5_000 });
  } catch (error) {
    problems.push(String(error));
  }
  const struck = strike.isStruck() ? `the watch of ${resource}` : undefined;
  strike.end();
  const grown = generationOf(world, namespace) - generation;
  if (grown !== lane.generations) {
    problems.push(`O3 rollouts: the Deployment was changed ${grown} times, and not ${lane.generations}`);
  }
  // Where children are edited by hand, a word may be overtaken by the edit.
  const isOfSpec = resource === 'microservices';
  if (isOfSpec) problems.push(...truthProblems(world.observer.history(namespace)).slice(lies));
  problems.push(...world.takeFaults());
  await world.proxy.opened(resource).catch((error: unknown) => problems.push(String(error)));
  return { plan, problems, struck, measures, seconds: (performance.now() - started) / 1000 };
}

async function reactionMs({ world, lane, namespace }: Place, mark: string, withinMs: number): Promise<number> {
  const hasReacted = await lane.edit(world, namespace, mark);
  const edited = performance.now();
  await eventually(
    () => {
      if (!hasReacted()) throw new Error(`deaf: no reaction to the edit within ${withinMs} ms`);
    },
    { withinMs, everyMs: 5 },
  );
  return performance.now() - edited;
}

function mustEqual(found: Essence, expected: Essence): void {
  const wrong = stateProblems(found, expected);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
}
