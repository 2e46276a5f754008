import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildKind, childKinds } from '../../../operator/src/api/kinds.ts';
import { eventually } from '../../support/eventually.ts';
import type { Wire } from '../../support/kube-api.ts';
import type { Campaign } from '../campaign.ts';
import { childPath, edits, kindOf } from '../children.ts';
import { stateProblems } from '../oracles.ts';
import type { Plan, Result } from '../plan.ts';
import { quiet, settled } from '../settling.ts';
import { sideBySide } from '../side-by-side.ts';
import { create, full } from '../workloads.ts';
import { subject, type World } from '../world.ts';

const plansAtOnce = 8;
const rounds = 3;
const longestMs = 30_000;
/** So long after an edit that is nobody's business the operator would have undone it. */
const leftAloneMs = 2_000;

/** What somebody does to a child that is the operator's to undo. */
const drifts: Readonly<Record<string, (world: World, kind: ChildKind, namespace: string) => Promise<Wire>>> = {
  deleted: ({ api }, kind, namespace) => api.delete(childPath(kind, namespace)),
  'field edited': ({ api }, kind, namespace) => api.patch(childPath(kind, namespace), edits[kind]),
  'labels stripped': ({ api }, kind, namespace) =>
    api.patch(childPath(kind, namespace), { metadata: { labels: null } }),
};

/** What somebody does to a child without asking the operator, and may. */
const liberties: Readonly<Record<string, { readonly kind: ChildKind; readonly patch: object }>> = {
  'replicas of the autoscaler': { kind: 'Deployment', patch: { spec: { replicas: 4 } } },
  'rollout restart': {
    kind: 'Deployment',
    patch: {
      spec: {
        template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' } } },
      },
    },
  },
  'label of somebody else': { kind: 'Deployment', patch: { metadata: { labels: { 'example.com/team': 'a' } } } },
  'annotation of somebody else': { kind: 'Service', patch: { metadata: { annotations: { 'example.com/note': 'a' } } } },
  'sidecar injected': {
    kind: 'Deployment',
    patch: { spec: { template: { spec: { containers: [{ name: 'mesh', image: 'example.test/mesh:1' }] } } } },
  },
};

/** The owner of a child is taken away: it is nobody's then, and not the operator's to take. */
const disowned = 'owner stripped';

/** Children are changed by hand: what is the operator's is put right, what is not is left alone. */
export const drift: Campaign = {
  id: 'C8',
  title: 'a child is changed by hand: what is the operator’s is put right, and nothing else is touched',
  bounds: [{ measure: 'repairMs', of: 'p99', atMost: 5_000 }],
  slow: [],

  async plans({ seed }) {
    return driftPlans(seed);
  },

  async run({ world }, plans, tell) {
    await sideBySide(plans, plansAtOnce, async (plan) => tell(await change(world, plan)));
  },
};

export function driftPlans(seed: number): readonly Plan[] {
  const campaign = 'C8';
  const drifted = Array.from({ length: rounds }, (_, at) =>
    childKinds.flatMap(({ kind }) =>
      Object.keys(drifts).map((fault) => ({ campaign, workload: kind, fault, at, seed }) as const),
    ),
  );
  const disownedPlans = childKinds.map(
    ({ kind }) => ({ campaign, workload: kind, fault: disowned, at: 0, seed }) as const,
  );
  const free = Object.entries(liberties).map(
    ([fault, { kind }]) => ({ campaign, workload: kind, fault, at: 0, seed }) as const,
  );
  return [...drifted.flat(), ...disownedPlans, ...free];
}

async function change(world: World, plan: Plan): Promise<Result> {
  const started = performance.now();
  const namespace = await world.namespace();
  await world.act(create(full), namespace);
  await settled(world, namespace);
  const kind = kindOf(plan.workload);
  const measures: Record<string, number> = {};
  let problems: readonly string[];
  try {
    const drifted = drifts[plan.fault];
    const liberty = liberties[plan.fault];
    if (drifted !== undefined) {
      measures.repairMs = await repairMs(world, namespace, () => drifted(world, kind, namespace), kind);
      problems = [];
    } else if (liberty !== undefined) problems = await leftAlone(world, namespace, liberty);
    else problems = await toldAsConflict(world, namespace, kind);
  } catch (error) {
    problems = [String(error)];
  }
  await world.clear([namespace]);
  const seconds = (performance.now() - started) / 1000;
  return { plan, problems: [...problems, ...world.takeFaults()], struck: `${kind} ${subject}`, measures, seconds };
}

/** How long it takes until everything is as it was. */
async function repairMs(world: World, namespace: string, act: () => Promise<Wire>, kind: ChildKind): Promise<number> {
  const before = world.state(namespace);
  const history = world.observer.changes(namespace);
  await act();
  const acted = performance.now();
  await eventually(
    () => {
      const isSeen = world.observer.sightsSince(namespace, history).some(({ object }) => object.kind === kind);
      const wrong = stateProblems(world.state(namespace), before);
      if (!isSeen || wrong.length > 0) throw new Error(`not repaired within ${longestMs} ms: ${wrong.join('; ')}`);
    },
    { withinMs: longestMs, everyMs: 5 },
  );
  const took = performance.now() - acted;
  await quiet(world, namespace, 300);
  return took;
}

async function leftAlone(
  world: World,
  namespace: string,
  { kind, patch }: (typeof liberties)[string],
): Promise<readonly string[]> {
  const writes = world.proxy.writesTo(namespace).length;
  const path = childPath(kind, namespace);
  await world.api.must('PATCH', path, patch, 'application/strategic-merge-patch+json');
  await sleep(leftAloneMs);
  const touched = world.proxy
    .writesTo(namespace)
    .slice(writes)
    .filter(({ resource }) => !resource.endsWith('/status'));
  const left = await world.api.get(path);
  return [
    ...touched.map(({ verb, resource }) => `C8 wrong revert: ${verb} ${resource}`),
    ...(holds(left, patch) ? [] : ['C8 wrong revert: the edit is not there any more']),
  ];
}

async function toldAsConflict(world: World, namespace: string, kind: ChildKind): Promise<readonly string[]> {
  const path = childPath(kind, namespace);
  await world.api.patch(path, { metadata: { ownerReferences: null } });
  await eventually(
    () => {
      const { conditions = [] } = world.microservice(namespace)?.status ?? {};
      const ready = conditions.find(({ type }: Wire) => type === 'Ready');
      if (ready?.reason !== 'Conflict') throw new Error(`a child that is nobody's is not told of: ${ready?.reason}`);
    },
    { withinMs: 5_000 },
  );
  const { metadata } = await world.api.get(path);
  return metadata.ownerReferences === undefined ? [] : ['C8: a child that is nobody’s was adopted'];
}

/** Whether everything that a patch states is there. */
function holds(found: Wire, patch: Wire): boolean {
  if (typeof patch !== 'object' || patch === null) return found === patch;
  if (Array.isArray(patch)) return patch.every((item) => found.some((other: Wire) => holds(other, item)));
  return Object.keys(patch).every((key) => holds(found?.[key], patch[key]));
}
