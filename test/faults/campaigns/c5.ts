import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers } from '../../../services/loadgen/src/random.ts';
import type { Essence } from '../../support/essence.ts';
import { apiFaultOf, apiFaults, retryAfterS } from '../api-faults.ts';
import type { Campaign, Scene } from '../campaign.ts';
import { Canary } from '../canary.ts';
import { deedProblems, deedsIn, stateProblems, truthProblems } from '../oracles.ts';
import type { Plan, Result } from '../plan.ts';
import type { Mishap } from '../proxy.ts';
import type { Reference } from '../reference.ts';
import { quiet, reaches } from '../settling.ts';
import { sideBySide } from '../side-by-side.ts';
import { withoutVersions } from '../state.ts';
import { type Strike, strikeWrite } from '../strike.ts';
import { base, create, threeEdits, workloadOf } from '../workloads.ts';
import type { World } from '../world.ts';

/** Between them they have every kind of write that the operator knows. */
const struckWorkloads = ['create', 'autoscaler on', 'autoscaler off'];
const shares = [5, 20, 50];
const crowd = 20;
const crowdMs = 20_000;
const someOf = 'of all requests';

const plansAtOnce = 12;
const longestMs = 60_000;
const lateWriteMs = 300;
/** What was under way when the API server asked to be left alone may still arrive. */
const underWayMs = 250;

/** The API server answers with every error there is, or not at all: each write once, and then a share of all requests. */
export const answers: Campaign = {
  id: 'C5',
  title: 'the API server answers a write with every error there is, or not at all, and the end is the same',
  bounds: [
    { measure: 'recoveryMs', of: 'max', atMost: longestMs },
    { measure: 'recoveryAfterShareMs', of: 'max', atMost: longestMs },
    { measure: 'extraWrites', of: 'max', atMost: 10 },
    { measure: 'writesPerMicroservice', of: 'max', atMost: 60 },
    { measure: 'requestsThoughAskedToWait', of: 'sum', atMost: 0 },
    { measure: 'canaryReactionMs', of: 'max', atMost: 5_000 },
  ],

  slow: ['stall', someOf],

  async plans({ references, workloads, seed }) {
    const struck = struckWorkloads.filter((name) => workloads.includes(name));
    const found = await Promise.all(struck.map(async (name) => answerPlans(name, await references.of(name), seed)));
    return [...found.flat(), ...sharePlans(seed)];
  },

  async run(scene, plans, tell) {
    // Those of one fault together: who is asked to wait has everybody wait.
    const groups = Map.groupBy(
      plans.filter(({ fault }) => fault !== someOf),
      ({ fault }) => fault,
    );
    const canary = await Canary.open(scene.world);
    for (const group of groups.values()) await runGroup(scene, canary, group, tell);
    await canary.close();
    for (const plan of plans.filter(({ fault }) => fault === someOf)) tell(await strikeCrowd(scene, plan));
  },
};

/** A plan for each write and each fault. */
export function answerPlans(workload: string, { writes }: Pick<Reference, 'writes'>, seed: number): readonly Plan[] {
  return Object.keys(apiFaults).flatMap((fault) =>
    writes.map((_, index) => ({ campaign: 'C5', workload, fault, at: index + 1, seed }) as const),
  );
}

function sharePlans(seed: number): readonly Plan[] {
  return shares.map((at) => ({ campaign: 'C5', workload: threeEdits.name, fault: someOf, at, seed }));
}

async function runGroup(
  scene: Scene,
  canary: Canary,
  plans: readonly Plan[],
  tell: (result: Result) => void,
): Promise<void> {
  const namespaces = await sideBySide(plans, plansAtOnce, (plan) => begin(scene, plan));
  const work = sideBySide(plans, plansAtOnce, (plan, at) => strikeOne(scene, plan, namespaces[at] ?? ''));
  const canaryReactionMs = await canary.slowestMsDuring(work);
  for (const [at, result] of (await work).entries()) {
    tell(at === 0 ? { ...result, measures: { ...result.measures, canaryReactionMs } } : result);
  }
  await scene.world.clear(namespaces);
}

async function begin({ world, references }: Scene, { workload }: Plan): Promise<string> {
  const namespace = await world.namespace();
  const { before } = workloadOf(workload);
  if (before !== undefined) await world.act(create(before), namespace);
  await reaches(world, namespace, (await references.of(workload)).before, { withinMs: longestMs });
  return namespace;
}

async function strikeOne({ world, references }: Scene, plan: Plan, namespace: string): Promise<Result> {
  const started = performance.now();
  const reference = await references.of(plan.workload);
  const earlier = world.writesTo(namespace);
  const strike = strikeWrite(world, namespace, plan.at, apiFaultOf(plan.fault));
  const measures: Record<string, number> = {};
  const problems: string[] = [];
  try {
    for (const [index, step] of workloadOf(plan.workload).steps.entries()) {
      await world.act(step, namespace);
      await reaches(world, namespace, reference.after[index] ?? {}, { withinMs: longestMs });
      if (strike.hitAt !== undefined) measures.recoveryMs ??= performance.now() - strike.hitAt;
    }
    await quiet(world, namespace, lateWriteMs);
  } catch (error) {
    problems.push(String(error));
  }
  strike.end();
  const history = world.observer.history(namespace);
  problems.push(
    ...stateProblems(world.state(namespace), reference.after.at(-1) ?? {}),
    ...deedProblems(deedsIn(history), reference.deeds),
    ...truthProblems(history),
    ...world.takeFaults(),
  );
  measures.extraWrites = world.writesTo(namespace) - earlier - reference.writes.length;
  if (plan.fault.startsWith('429')) measures.requestsThoughAskedToWait = requestsTooSoon(world, strike);
  return { plan, problems, struck: strike.hit, measures, seconds: (performance.now() - started) / 1000 };
}

/** Requests, whatever they are about, that came although the API server had asked to be left alone. */
function requestsTooSoon({ proxy }: World, { hitAt }: Strike): number {
  if (hitAt === undefined) return 0;
  const [from, until] = [hitAt + underWayMs, hitAt + retryAfterS * 1_000];
  return proxy.asked.filter(({ at }) => at > from && at < until).length;
}

/** A share of all requests goes wrong for a while in which many Microservices are edited. */
async function strikeCrowd({ world, references, seed }: Scene, plan: Plan): Promise<Result> {
  const started = performance.now();
  const { before, after } = await references.of(threeEdits.name);
  const namespaces = await sideBySide(Array.from({ length: crowd }), plansAtOnce, async () => {
    const namespace = await world.namespace();
    await world.act(create(base), namespace);
    await reaches(world, namespace, before, { withinMs: longestMs });
    return namespace;
  });
  const earlier = namespaces.map((namespace) => world.writesTo(namespace));
  const random = randomNumbers(seed + plan.at);
  const faults = Object.entries(apiFaults).flatMap(([name, mishap]) => (name === 'stall' ? [] : [mishap]));
  let struck = 0;
  const end = world.proxy.add(() => {
    if (random() * 100 >= plan.at) return undefined;
    struck += 1;
    return faults[Math.floor(random() * faults.length)] satisfies Mishap | undefined;
  });
  await Promise.all(namespaces.map((namespace) => editInTime(world, namespace, randomNumbers(seed + struck))));
  end();
  const ended = performance.now();
  const expected = withoutVersions(after.at(-1) ?? {});
  const found = await Promise.all(namespaces.map((namespace) => reachesLast(world, namespace, expected)));
  const measures = {
    recoveryAfterShareMs: performance.now() - ended,
    writesPerMicroservice: Math.max(
      ...namespaces.map((namespace, at) => world.writesTo(namespace) - (earlier[at] ?? 0)),
    ),
  };
  await world.clear(namespaces);
  const problems = [...found.flat(), ...world.takeFaults()];
  return { plan, problems, struck: `${struck} requests`, measures, seconds: (performance.now() - started) / 1000 };
}

async function editInTime(world: World, namespace: string, random: () => number): Promise<void> {
  const began = performance.now();
  for (const [index, step] of threeEdits.steps.entries()) {
    const due = (crowdMs * (index + random())) / threeEdits.steps.length;
    await sleep(Math.max(0, began + due - performance.now()));
    await world.act(step, namespace);
  }
  await sleep(Math.max(0, began + crowdMs - performance.now()));
}

async function reachesLast(world: World, namespace: string, expected: Essence): Promise<readonly string[]> {
  try {
    await reaches(world, namespace, expected, { withinMs: longestMs, of: withoutVersions });
    return truthProblems(world.observer.history(namespace));
  } catch (error) {
    return [String(error)];
  }
}
