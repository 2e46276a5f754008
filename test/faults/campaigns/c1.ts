import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers } from '../../../services/loadgen/src/random.ts';
import type { Campaign, Scene } from '../campaign.ts';
import { deedProblems, deedsIn, stateProblems, truthProblems } from '../oracles.ts';
import type { Plan, Result } from '../plan.ts';
import type { CrashPoint } from '../proxy.ts';
import type { Reference } from '../reference.ts';
import { quiet, reaches, silence } from '../settling.ts';
import { sideBySide } from '../side-by-side.ts';
import { strikeWrite } from '../strike.ts';
import { create, type Workload, workloadOf } from '../workloads.ts';
import type { Act, World } from '../world.ts';

const crashPoints: readonly CrashPoint[] = ['before the write', 'after the commit', 'after the answer'];

/** A started operator has so long to bring a namespace to where it has to be. */
const longestMs = 60_000;
const silenceMs = 3_000;
/** A write that a step still causes once its end state is reached comes within this. */
const lateWriteMs = 150;
const preparedAtOnce = 8;

/** The operator is killed at every write, and at what somebody does itself (write 0); another one goes on. */
export const crashes: Campaign = {
  id: 'C1',
  title: 'the operator is killed at every write, in three moments of it, and another one goes on',
  bounds: [{ measure: 'restartToConvergedMs', of: 'p99', atMost: 10_000 }],
  slow: [],

  async plans({ references, workloads, seed }) {
    const all = await Promise.all(workloads.map(async (name) => crashPlans(name, await references.of(name), seed)));
    return all.flat();
  },

  async run(scene, plans, tell) {
    for (const [name, ofOne] of Map.groupBy(plans, ({ workload }) => workload)) {
      await crashWorkload(scene, workloadOf(name), ofOne, tell);
    }
  },
};

/** A plan for each crash point of each write, and of the act itself. */
export function crashPlans(workload: string, { writes }: Pick<Reference, 'writes'>, seed: number): readonly Plan[] {
  const moments = Array.from({ length: writes.length + 1 }, (_, at) => at);
  return moments.flatMap((at) => crashPoints.map((fault) => ({ campaign: 'C1', workload, fault, at, seed }) as const));
}

/** What becomes of a plan up to the silence, which all plans of a workload share. */
interface Trial extends Result {
  readonly namespace: string;
}

async function crashWorkload(
  { world, references }: Scene,
  workload: Workload,
  plans: readonly Plan[],
  tell: (result: Result) => void,
): Promise<void> {
  const reference = await references.of(workload.name);
  const namespaces = await sideBySide(plans, preparedAtOnce, async () => {
    const namespace = await world.namespace();
    if (workload.before !== undefined) await world.act(create(workload.before), namespace);
    await reaches(world, namespace, reference.before, { withinMs: longestMs });
    return namespace;
  });
  const trials: Trial[] = [];
  for (const [at, plan] of plans.entries()) {
    trials.push(await crash(world, plan, workload.steps, reference, namespaces[at] ?? ''));
  }
  const words = await silence(world, namespaces, silenceMs);
  for (const [at, { namespace, problems, ...trial }] of trials.entries()) {
    const history = world.observer.history(namespace);
    const found = [
      ...problems,
      ...stateProblems(world.state(namespace), reference.after.at(-1) ?? {}),
      ...deedProblems(deedsIn(history), reference.deeds),
      ...truthProblems(history),
      ...(words[at] ?? []),
    ];
    tell({ ...trial, problems: [...new Set(found)] });
  }
  await world.clear(namespaces);
}

async function crash(
  world: World,
  plan: Plan,
  steps: readonly Act[],
  { after }: Reference,
  namespace: string,
): Promise<Trial> {
  const startedAt = performance.now();
  const when = crashPoints.find((point) => point === plan.fault) ?? 'before the write';
  const strike = strikeWrite(world, namespace, plan.at, { kind: 'crash', when });
  const measures: Record<string, number> = {};
  const problems: string[] = [];
  let struck = plan.at === 0 ? 'what somebody did' : undefined;
  try {
    for (const [index, step] of steps.entries()) {
      const isStruck = plan.at === 0 && index === 0;
      await world.act(isStruck ? killedAround(world, step, when, plan.seed) : step, namespace);
      const expected = after[index] ?? {};
      await reaches(world, namespace, expected, { withinMs: longestMs, unless: () => !world.isUp });
      if (world.isUp) await sleep(lateWriteMs);
      if (world.isUp) continue;
      const newcomer = await world.launch();
      await reaches(world, namespace, expected, { withinMs: longestMs });
      measures.restartToConvergedMs = performance.now() - newcomer;
    }
    await quiet(world, namespace, lateWriteMs);
  } catch (error) {
    problems.push(String(error));
  } finally {
    strike.end();
    struck ??= strike.hit;
    if (!world.isUp) await world.launch();
  }
  problems.push(...world.takeFaults());
  return { plan, namespace, problems, struck, measures, seconds: (performance.now() - startedAt) / 1000 };
}

/** Kills the operator before somebody acts, when that is done, or while the operator is at work on it. */
function killedAround(world: World, act: Act, when: CrashPoint, seed: number): Act {
  return async (api, namespace) => {
    if (when === 'before the write') world.kill();
    const answer = await act(api, namespace);
    if (when === 'after the answer') await sleep(randomNumbers(seed)() * 100);
    world.kill();
    return answer;
  };
}
