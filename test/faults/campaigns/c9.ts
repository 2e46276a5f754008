import { type ChildKind, childKinds } from '../../../operator/src/api/kinds.ts';
import { eventually } from '../../support/eventually.ts';
import type { Wire } from '../../support/kube-api.ts';
import type { Campaign } from '../campaign.ts';
import { childPath, collectionPath, kindOf } from '../children.ts';
import { truthProblems } from '../oracles.ts';
import type { Plan, Result } from '../plan.ts';
import { settled } from '../settling.ts';
import { sideBySide } from '../side-by-side.ts';
import { create, full } from '../workloads.ts';
import { subject, type World } from '../world.ts';

const plansAtOnce = 12;
/** An object in the way may have no labels, and then no watch tells that it went: it is looked for every 30 s. */
const takenWithinMs = 35_000;

const labels = { app: 'theirs' };
const theirs: Readonly<Record<ChildKind, object>> = {
  Deployment: {
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'theirs', image: 'theirs' }] } },
    },
  },
  Service: { spec: { ports: [{ port: 1 }] } },
  PodDisruptionBudget: { spec: { selector: { matchLabels: labels }, maxUnavailable: 3 } },
  ServiceAccount: {},
  ConfigMap: { data: { THEIRS: 'yes' } },
  HorizontalPodAutoscaler: {
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'theirs' } },
  },
};

/** What somebody can write onto an object that is not the operator's. */
const guises: Readonly<Record<string, object>> = {
  'of somebody else': {},
  'of somebody else, labelled as ours': {
    labels: {
      'app.kubernetes.io/managed-by': 'microservice-platform',
      'microservice-platform.io/microservice': subject,
    },
  },
};

/** The name of a child is taken: what is there stays as it is, and the Microservice says so. */
export const clashes: Campaign = {
  id: 'C9',
  title: 'the name of a child is taken: it is left as it is and told of, and the operator goes on once it is free',
  bounds: [{ measure: 'takenAfterMs', of: 'max', atMost: takenWithinMs }],
  slow: ['of somebody else'],

  async plans({ seed }) {
    return clashPlans(seed);
  },

  async run({ world }, plans, tell) {
    await sideBySide(plans, plansAtOnce, async (plan) => tell(await clash(world, plan)));
  },
};

export function clashPlans(seed: number): readonly Plan[] {
  return childKinds.flatMap(({ kind }) =>
    Object.keys(guises).map((fault) => ({ campaign: 'C9', workload: kind, fault, at: 0, seed }) as const),
  );
}

async function clash(world: World, plan: Plan): Promise<Result> {
  const started = performance.now();
  const namespace = await world.namespace();
  const kind = kindOf(plan.workload);
  const problems: string[] = [];
  const measures: Record<string, number> = {};
  try {
    const object = { metadata: { name: subject, ...guises[plan.fault] }, ...theirs[kind] };
    await world.api.post(collectionPath(kind, namespace), object);
    const before = await contentOf(world, kind, namespace);
    await world.act(create(full), namespace);
    await toldOf(world, kind, namespace);
    if ((await contentOf(world, kind, namespace)) !== before)
      problems.push(`C9: the ${kind} of somebody else was written`);
    await world.api.delete(childPath(kind, namespace));
    const freed = performance.now();
    await settled(world, namespace, 500);
    measures.takenAfterMs = performance.now() - freed;
  } catch (error) {
    problems.push(String(error));
  }
  problems.push(...truthProblems(world.observer.history(namespace)), ...world.takeFaults());
  await world.clear([namespace]);
  return { plan, problems, struck: `${kind} ${subject}`, measures, seconds: (performance.now() - started) / 1000 };
}

async function toldOf(world: World, kind: ChildKind, namespace: string): Promise<void> {
  await eventually(() => {
    const { conditions = [] } = world.microservice(namespace)?.status ?? {};
    const ready = conditions.find(({ type }: Wire) => type === 'Ready');
    const isTold = ready?.status === 'False' && ready.reason === 'Conflict' && ready.message.includes(kind);
    if (!isTold) throw new Error(`the ${kind} that is in the way is not told of: ${ready?.reason}`);
  });
}

/** What is in it, and who wrote it, but for what controllers of Kubernetes note. */
async function contentOf({ api }: World, kind: ChildKind, namespace: string): Promise<string> {
  const { status: _, ...object } = await api.get(childPath(kind, namespace));
  const { resourceVersion: __, annotations: ___, generation: ____, managedFields = [], ...metadata } = object.metadata;
  const managers = managedFields
    .map(({ manager }: Wire) => manager)
    .filter((name: string) => name.startsWith('microservice'));
  return JSON.stringify({ ...object, metadata: { ...metadata, managers } });
}
