import { eventually } from '../../support/eventually.ts';
import { paths, type Wire } from '../../support/kube-api.ts';
import type { Campaign, Scene } from '../campaign.ts';
import { deedsIn } from '../oracles.ts';
import type { Plan, Result } from '../plan.ts';
import { settled, silence } from '../settling.ts';
import { sideBySide } from '../side-by-side.ts';
import { create, full } from '../workloads.ts';
import { subject, type World } from '../world.ts';

const prepareAtOnce = 8;
const goneWithinMs = 60_000;
const silenceMs = 3_000;

const policies = ['Background', 'Foreground', 'Orphan'] as const;
const wholeNamespace = 'with its namespace';
const presences = { up: 'while the operator is there', down: 'while there is no operator' } as const;

/** A Microservice is deleted in every way there is. */
export const deletions: Campaign = {
  id: 'C10',
  title: 'a Microservice is deleted in every way, and nothing is left, or all of it, and nothing comes back',
  bounds: [{ measure: 'goneAfterMs', of: 'max', atMost: goneWithinMs }],
  slow: [],

  async plans({ seed }) {
    return deletionPlans(seed);
  },

  async run(scene, plans, tell) {
    for (const [presence, together] of Map.groupBy(plans, ({ fault }) => fault)) {
      await deleteAll(scene, presence, together, tell);
    }
  },
};

export function deletionPlans(seed: number): readonly Plan[] {
  return Object.values(presences).flatMap((fault) =>
    [...policies, wholeNamespace].map((workload) => ({ campaign: 'C10', workload, fault, at: 0, seed }) as const),
  );
}

/** Those for which there is no operator meanwhile share that time. */
async function deleteAll(
  { world }: Scene,
  presence: string,
  plans: readonly Plan[],
  tell: (result: Result) => void,
): Promise<void> {
  const started = performance.now();
  const namespaces = await sideBySide(plans, prepareAtOnce, async () => {
    const namespace = await world.namespace();
    await world.act(create(full), namespace);
    await settled(world, namespace);
    return namespace;
  });
  if (presence === presences.down) world.kill();
  const gone = await Promise.all(plans.map((plan, at) => deleteOne(world, plan, namespaces[at] ?? '')));
  if (presence === presences.down) await world.launch();
  const words = await silence(world, namespaces, silenceMs);
  for (const [at, plan] of plans.entries()) {
    const namespace = namespaces[at] ?? '';
    const problems = [
      ...(gone[at]?.problems ?? []),
      ...(words[at] ?? []),
      ...leftProblems(world, namespace, plan),
      ...(at === 0 ? world.takeFaults() : []),
    ];
    const measures = gone[at]?.measures ?? {};
    tell({ plan, problems, struck: presence, measures, seconds: (performance.now() - started) / 1000 });
  }
}

async function deleteOne(
  world: World,
  { workload }: Plan,
  namespace: string,
): Promise<Pick<Result, 'problems' | 'measures'>> {
  const started = performance.now();
  const path =
    workload === wholeNamespace ? `/api/v1/namespaces/${namespace}` : `${paths.microservices(namespace)}/${subject}`;
  const options = workload === wholeNamespace ? undefined : { propagationPolicy: workload };
  try {
    await world.api.must('DELETE', path, options);
    await eventually(() => mustBeGone(world, namespace, workload), { withinMs: goneWithinMs });
    return { problems: [], measures: { goneAfterMs: performance.now() - started } };
  } catch (error) {
    return { problems: [String(error)], measures: {} };
  }
}

/** Those that are left as orphans have no owner any more; the others are not there. */
function mustBeGone(world: World, namespace: string, workload: string): void {
  if (world.microservice(namespace) !== undefined) throw new Error('the Microservice is still there');
  const left = childrenIn(world, namespace);
  const wrong = workload === 'Orphan' ? left.filter(isOwned) : left;
  if (wrong.length > 0) throw new Error(`still there: ${wrong.map(({ kind }) => kind).join(', ')}`);
}

function leftProblems(world: World, namespace: string, { workload }: Plan): readonly string[] {
  const { counts } = deedsIn(world.observer.history(namespace));
  const due = workload === 'Orphan' ? '1 created, 0 deleted' : '1 created, 1 deleted';
  return Object.entries(counts).flatMap(([id, is]) => (is === due ? [] : [`O2 counts: ${id}: ${is}, and not ${due}`]));
}

function childrenIn({ observer }: World, namespace: string): readonly Wire[] {
  const isOfCluster = ({ metadata }: Wire) => metadata.name === 'default' || metadata.name === 'kube-root-ca.crt';
  return observer.objects(namespace).filter((object) => !isOfCluster(object));
}

/** Of a Deployment and of its pods, the Deployment is who answers for them. */
function isOwned({ metadata }: Wire): boolean {
  return metadata.ownerReferences?.some(({ kind }: Wire) => kind === 'Microservice') ?? false;
}
