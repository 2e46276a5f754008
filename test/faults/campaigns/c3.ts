import { setTimeout as sleep } from 'node:timers/promises';
import { childKinds } from '../../../operator/src/api/kinds.ts';
import type { Essence } from '../../support/essence.ts';
import type { Campaign, Scene } from '../campaign.ts';
import { type Deeds, deedProblems, deedsIn, stateProblems, truthProblems } from '../oracles.ts';
import { pairOf, pairs } from '../pairs.ts';
import type { Plan, Result } from '../plan.ts';
import { quiet, reaches, settled } from '../settling.ts';
import { sideBySide } from '../side-by-side.ts';
import { create, type Workload, workloadOf } from '../workloads.ts';
import type { Act, World } from '../world.ts';

/** How the operator gets to know what happened while nothing came through its watches. */
const ways = {
  /** All of it at once. */
  burst: 'told in one burst',
  /** It has to list anew, and what is there then is all that it sees. */
  never: 'never told',
  /** Later than it waits to see its own writes. */
  late: 'told after 17 s',
} as const;

const lateMs = 17_000;
const rounds = 6;
/** The operator hears of what somebody does, and of nothing that it does about it itself. */
const ofChildren = childKinds.map(({ plural }) => plural);
const ofAll = ['microservices', 'pods', ...ofChildren];
const lateWorkloads = [
  'create',
  'new image',
  'autoscaler on',
  'autoscaler off',
  'port renamed',
  'deleted and made anew',
];

const preparedAtOnce = 8;
const withinMs = 60_000;
const quietMs = 700;

/** Watches are held back while something happens that is over before they tell of it. */
export const unobserved: Campaign = {
  id: 'C3',
  title: 'something happens and is undone while no watch tells, and the operator does as if nothing had happened',
  bounds: [],
  slow: [ways.late],

  async plans({ seed }) {
    return unobservedPlans(seed);
  },

  async run(scene, plans, tell) {
    for (const ofOne of Map.groupBy(plans, ({ fault, at }) => `${fault} ${at}`).values())
      await runRound(scene, ofOne, tell);
  },
};

export function unobservedPlans(seed: number): readonly Plan[] {
  const campaign = 'C3';
  const inRounds = Array.from({ length: rounds }, (_, at) =>
    [ways.burst, ways.never].flatMap((fault) =>
      pairs.map(({ name }) => ({ campaign, workload: name, fault, at, seed }) as const),
    ),
  );
  const late = lateWorkloads.map((workload) => ({ campaign, workload, fault: ways.late, at: 0, seed }) as const);
  return [...inRounds.flat(), ...late];
}

/** One plan of a round, and what has to come of it. */
interface Part {
  readonly plan: Plan;
  readonly namespace: string;
  readonly acts: readonly Act[];
  readonly after: Essence;
  /** Undefined where it is open whether the operator sees what lies between. */
  readonly deeds: Deeds | undefined;
}

/** All plans of a round share one silence of the watches. */
async function runRound(scene: Scene, plans: readonly Plan[], tell: (result: Result) => void): Promise<void> {
  const { world } = scene;
  const started = performance.now();
  const parts = await sideBySide(plans, preparedAtOnce, (plan) => prepare(scene, plan));
  const way = plans[0]?.fault;
  const resources = way === ways.late ? ofChildren : ofAll;
  const streams = resources.flatMap((resource) => world.proxy.watchesOf(resource));
  for (const stream of streams) stream.hold();
  await Promise.all(parts.map((part) => actAll(world, part)));
  if (way === ways.late) await sleep(lateMs);
  for (const stream of streams) {
    if (way === ways.never) stream.expire();
    else stream.release();
  }
  await Promise.all(resources.map((resource) => world.proxy.opened(resource)));
  const found = await Promise.all(parts.map((part) => problemsOf(world, part)));
  const faults = world.takeFaults();
  for (const [at, { plan }] of parts.entries()) {
    const problems = [...(found[at] ?? []), ...(at === 0 ? faults : [])];
    const struck = streams.length > 0 ? `${streams.length} watches` : undefined;
    tell({ plan, problems, struck, measures: {}, seconds: (performance.now() - started) / 1000 });
  }
  await world.clear(parts.map(({ namespace }) => namespace));
}

async function prepare({ world, references }: Scene, plan: Plan): Promise<Part> {
  const namespace = await world.namespace();
  if (plan.fault === ways.late) {
    const workload = workloadOf(plan.workload);
    const { before, after, deeds } = await references.of(workload.name);
    await begin(world, workload, namespace);
    await reaches(world, namespace, before, { withinMs });
    return { plan, namespace, acts: workload.steps, after: after.at(-1) ?? {}, deeds };
  }
  const pair = pairOf(plan.workload);
  await begin(world, pair, namespace);
  const before = await settled(world, namespace);
  const deeds =
    pair.like === undefined ? deedsIn(world.observer.history(namespace)) : (await references.of(pair.like)).deeds;
  return { plan, namespace, acts: pair.acts, after: before, deeds: plan.fault === ways.never ? deeds : undefined };
}

async function begin(world: World, { before }: Pick<Workload, 'before'>, namespace: string): Promise<void> {
  if (before !== undefined) await world.act(create(before), namespace);
}

async function actAll(world: World, { acts, namespace }: Part): Promise<void> {
  for (const act of acts) await world.act(act, namespace);
}

async function problemsOf(world: World, { namespace, after, deeds }: Part): Promise<readonly string[]> {
  try {
    await reaches(world, namespace, after, { withinMs });
    await quiet(world, namespace, quietMs);
  } catch (error) {
    return [String(error)];
  }
  const history = world.observer.history(namespace);
  return [
    ...stateProblems(world.state(namespace), after),
    ...(deeds === undefined ? [] : deedProblems(deedsIn(history), deeds)),
    ...truthProblems(history),
  ];
}
