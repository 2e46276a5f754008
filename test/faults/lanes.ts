import { type ChildKind, childKinds } from '../../operator/src/api/kinds.ts';
import { contentMarkAnnotation } from '../../operator/src/api/labels.ts';
import type { MicroserviceSpec } from '../../operator/src/api/microservice.generated.ts';
import type { Essence } from '../support/essence.ts';
import { eventually } from '../support/eventually.ts';
import { paths, type Wire } from '../support/kube-api.ts';
import { childPath, edits } from './children.ts';
import { settled } from './settling.ts';
import { create, full } from './workloads.ts';
import { subject, type World } from './world.ts';

/** One kind of watch, and an edit of which the operator can hear by that watch alone. */
export interface Lane {
  /** The watch, as requests name it. */
  readonly resource: string;
  readonly spec: MicroserviceSpec;
  /** By how much the generation of the Deployment grows with each edit and what the operator does about it. */
  readonly generations: number;
  /** Whether pods are played by the lane, and never get ready. */
  readonly playsPods?: true;
  /** What is there before the Microservice. */
  readonly provide?: (world: World, namespace: string) => Promise<Wire>;
  /** Edits, with a mark that no other edit has, and gives what tells that the operator has done its part. */
  readonly edit: (world: World, namespace: string, mark: string) => Promise<() => boolean>;
}

/** No pods, so that nothing moves but what somebody edits. */
const still: MicroserviceSpec = {
  image: 'example.test/orders:1.0.0',
  replicas: 0,
  ports: [{ name: 'http', containerPort: 8080, servicePort: 80 }],
  config: { data: { GREETING: 'hello' } },
};

/** The mark of the edit that every lane begins with. */
export const firstMark = 'mark-of-nobody';

const deployment = ({ observer }: World, namespace: string) => observer.object(namespace, 'Deployment', subject);

export const lanes: readonly Lane[] = [
  {
    resource: 'microservices',
    spec: { ...still, env: [{ name: 'MARK', value: 'none' }] },
    generations: 1,
    edit: async (world, namespace, mark) => {
      const spec = { env: [{ name: 'MARK', value: mark }] };
      await world.api.patch(`${paths.microservices(namespace)}/${subject}`, { spec });
      return () => deployment(world, namespace)?.spec.template.spec.containers[0].env?.[0].value === mark;
    },
  },
  {
    resource: 'metadata of configmaps',
    spec: { ...still, envFrom: [{ configMapRef: { name: 'settings' } }] },
    generations: 1,
    provide: ({ api }, namespace) =>
      api.post(`/api/v1/namespaces/${namespace}/configmaps`, {
        metadata: { name: 'settings' },
        data: { MARK: 'none' },
      }),
    edit: async (world, namespace, mark) => {
      const before = markOf(deployment(world, namespace));
      await world.api.patch(`/api/v1/namespaces/${namespace}/configmaps/settings`, { data: { MARK: mark } });
      return () => markOf(deployment(world, namespace)) !== before;
    },
  },
  {
    resource: 'pods',
    spec: { ...still, replicas: 1, rollout: { progressDeadlineSeconds: 3_600 } },
    generations: 0,
    playsPods: true,
    edit: async (world, namespace, mark) => {
      await reportTrouble(world, namespace, mark);
      return () => JSON.stringify(world.microservice(namespace)?.status).includes(mark);
    },
  },
  ...childKinds.map(({ kind, plural }) => repaired(plural, kind)),
];

/** Makes the namespace of a lane and what is in it; gives its name once nothing moves any more. */
export async function openLane(world: World, lane: Lane): Promise<string> {
  const namespace = await world.namespace();
  if (lane.playsPods) world.node.leave(namespace);
  await lane.provide?.(world, namespace);
  await world.act(create(lane.spec), namespace);
  if (lane.playsPods) await eventually(() => must(deployment(world, namespace)?.status?.replicas === 1));
  else await settled(world, namespace);
  // What an edit leaves behind is part of what has to stay the same.
  const hasReacted = await lane.edit(world, namespace, firstMark);
  await eventually(() => must(hasReacted()), { withinMs: 20_000 });
  if (!lane.playsPods) await settled(world, namespace);
  return namespace;
}

/** The state of a lane apart from the mark of its last edit, and from the versions of pods that edits leave behind. */
export function stateOfLane(world: World, namespace: string, mark: string): Essence {
  const digest = markOf(deployment(world, namespace));
  const kept = Object.entries(world.state(namespace)).filter(([id]) => !id.startsWith('ReplicaSet/') && id !== 'Pods');
  const unmarked = (text: string) => (digest === undefined ? text : text.replaceAll(digest, 'DIGEST'));
  return Object.fromEntries(kept.map(([id, text]) => [id, unmarked(text.replaceAll(mark, 'MARK'))]));
}

export function generationOf(world: World, namespace: string): number {
  return deployment(world, namespace)?.metadata.generation ?? 0;
}

function markOf(object: Wire): string | undefined {
  return object?.spec.template.metadata.annotations?.[contentMarkAnnotation];
}

/** A lane in which somebody edits a child, and the operator takes that back. */
function repaired(resource: string, kind: ChildKind): Lane {
  return {
    resource,
    spec: kind === 'HorizontalPodAutoscaler' ? full : still,
    generations: kind === 'Deployment' ? 2 : 0,
    edit: async (world, namespace) => {
      const before = world.state(namespace)[`${kind}/${subject}`];
      const { metadata } = await world.api.patch(childPath(kind, namespace), edits[kind]);
      const version = BigInt(metadata.resourceVersion);
      return () =>
        BigInt(world.observer.object(namespace, kind, subject)?.metadata.resourceVersion ?? 0) > version &&
        world.state(namespace)[`${kind}/${subject}`] === before;
    },
  };
}

/** Says of the pod what a node would say of one that cannot be started. */
async function reportTrouble({ api, observer }: World, namespace: string, mark: string): Promise<void> {
  const pod = await eventually(() => {
    const found = observer.objects(namespace).find(({ kind }) => kind === 'Pod');
    if (found === undefined) throw new Error(`there is no pod in ${namespace}`);
    return found;
  });
  const waiting = { reason: 'CreateContainerError', message: mark };
  const containerStatuses = [
    { name: subject, image: 'x', imageID: '', ready: false, restartCount: 0, state: { waiting } },
  ];
  await api.patch(`${paths.pods(namespace)}/${pod.metadata.name}/status`, {
    status: { phase: 'Pending', containerStatuses },
  });
}

function must(isSo: boolean): void {
  if (!isSo) throw new Error('a lane does not get to where its edits begin');
}
