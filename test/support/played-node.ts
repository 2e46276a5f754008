import { type KubeApi, paths, type Wire } from './kube-api.ts';

/** Says of every pod of the namespace what a node would say of one that runs and is ready. */
export async function runPods(api: KubeApi, namespace: string): Promise<void> {
  const { items } = await api.get(paths.pods(namespace));
  await Promise.all(items.filter((pod: Wire) => !isReady(pod)).map((pod: Wire) => run(api, pod)));
}

const isReady = ({ status }: Wire) =>
  status.conditions?.some(({ type, status: is }: Wire) => type === 'Ready' && is === 'True') ?? false;

async function run(api: KubeApi, { metadata, spec }: Wire): Promise<void> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
  }));
  const containerStatuses = spec.containers.map(({ name, image }: Wire) => ({
    name,
    image,
    imageID: image,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: now } },
  }));
  const status = { phase: 'Running', podIP: '127.77.0.1', startTime: now, conditions, containerStatuses };
  await api.ask(
    'PATCH',
    `${paths.pods(metadata.namespace)}/${metadata.name}/status`,
    { status },
    'application/merge-patch+json',
  );
}
