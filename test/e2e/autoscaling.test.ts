import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { tool } from '../../cluster/toolchain.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { fieldManager } from '../../operator/src/api/labels.ts';
import { cli, cluster, conditionOf, list, type MicroserviceObject, read } from '../support/cluster.ts';
import { startLoad } from '../support/load-pod.ts';

const namespace = 'e2e-autoscaling';
const manifest = (name: string) =>
  parse(readFileSync(new URL(`../../manifests/${name}.yaml`, import.meta.url), 'utf8')) as {
    readonly spec: { readonly image: string };
  };

beforeAll(async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await cli.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }));
});
afterAll(() => cli.run(['delete', 'namespace', namespace, '--wait=false']));

describe('a Microservice whose number of pods follows the load', () => {
  it('is scaled out and in again, answers every request, stays Ready, and is not written to by the operator', async () => {
    const { spec, ...rest } = manifest('autoscaled') as Wire;
    // As in the sample, but quicker to go back.
    spec.autoscaling.behavior.scaleDown = { stabilizationWindowSeconds: 10 };
    await cli.apply(JSON.stringify({ ...rest, metadata: { name: 'autoscaled', namespace }, spec }));
    const load = await startLoad(namespace, 'autoscaled', spec.image);
    await readyAgain('autoscaled');
    const table = await waitFor(
      'kubectl get hpa to show the cpu',
      async () => {
        const shown = await cli.get(['hpa', 'autoscaled', '-n', namespace]);
        return /cpu: \d+%\/70%/.test(shown) && shown;
      },
      { timeoutMs: 90_000 },
    );
    console.log(table);

    const writesBefore = await operatorWrites();
    const deployment = watch('deployment', 'autoscaled');
    const microservice = watch('microservice', 'autoscaled');
    const started = performance.now();
    await load.set(40);
    await podsAre(3);
    console.log(await cli.get(['hpa,microservice', '-n', namespace, '-o', 'wide']));
    // Cheap ones, but so many that some would meet a pod that goes away, if it did not wait for its last requests.
    await load.set(60, '/cheap');
    await podsAre(1);
    const { sent, answered, failed } = await load.end();
    const seconds = (performance.now() - started) / 1000;
    const writesAfter = await operatorWrites();
    await Promise.all([deployment.stop(), microservice.stop()]);

    console.log(`${sent} requests in ${seconds.toFixed(0)} s, ${answered} answered; replicas over time:`);
    console.log(overTime(deployment.states, started));
    expect(failed).toEqual({});
    expect(answered).toBe(sent);
    expect(sent).toBeGreaterThan(1500);

    const counts = deployment.states.map(({ object }) => object.spec.replicas as number);
    const moves = counts.filter((count, at) => at > 0 && count !== counts[at - 1]);
    expect(Math.max(...moves)).toBe(3);
    expect(moves.at(-1)).toBe(1);
    expect(moves, 'what the autoscaler says that it set').toEqual(await autoscalerMoves('autoscaled'));
    expect(deployment.states.flatMap(({ object }) => ownersOfReplicas(object))).not.toContain(fieldManager);
    expect(writesAfter).toBe(writesBefore);
    expect(microservice.states.map(({ object }) => conditionOf(object, 'Ready')?.status)).not.toContain('False');
    expect(microservice.states.map(({ object }) => conditionOf(object, 'Reconciling')?.status)).toContain('True');
  });
});

describe('autoscaling that is taken away or added', () => {
  it('moves the number of pods once, straight to what is asked for, and leaves no autoscaler behind', async () => {
    const { spec, ...rest } = manifest('hello') as Wire;
    spec.replicas = 3;
    spec.resources = { requests: { cpu: '10m' } };
    await cli.apply(JSON.stringify({ ...rest, metadata: { name: 'changing', namespace }, spec }));
    await readyAgain('changing');
    const deployment = watch('deployment', 'changing');
    await waitFor('the first state', async () => deployment.states.length > 0);

    const autoscaling = (minReplicas: number) => ({
      minReplicas,
      maxReplicas: 4,
      cpu: 70,
      // These pods do nothing: without this rule they would be taken away.
      behavior: { scaleDown: { selectPolicy: 'Disabled' } },
    });
    const changes: readonly [what: string, change: object, before: number, after: number][] = [
      ['added with fewer pods than run', { autoscaling: autoscaling(2) }, 3, 3],
      ['taken away, replicas as before', { autoscaling: null }, 3, 3],
      ['added with as many pods as run', { autoscaling: autoscaling(3) }, 3, 3],
      ['taken away, replicas left out', { autoscaling: null, replicas: null }, 3, 1],
      ['added with more pods than run', { autoscaling: autoscaling(2) }, 1, 2],
      ['taken away, replicas changed along', { autoscaling: null, replicas: 2 }, 2, 2],
    ];
    for (const [what, change, before, after] of changes) {
      const from = deployment.states.length;
      await cli.run(
        ['patch', 'microservice', 'changing', '-n', namespace, '--type=merge', '-p', JSON.stringify({ spec: change })],
        30_000,
      );
      await readyAgain('changing');
      const seen = [deployment.states[from - 1], ...deployment.states.slice(from)].map((state) => state?.object);
      const counts = seen.map((object) => object.spec.replicas as number);
      console.log(`${what}: ${counts.join(' ')}`);
      expect(counts.filter((count, at) => at > 0 && count !== counts[at - 1])).toEqual(before === after ? [] : [after]);
      expect(counts.at(-1)).toBe(after);
      expect(Math.min(...seen.map(({ status }) => status.readyReplicas ?? 0)), 'ready pods').toBeGreaterThanOrEqual(
        Math.min(before, after),
      );
      const autoscalers = await list('horizontalpodautoscaler', namespace, '-l', `${label}=changing`);
      expect(autoscalers).toHaveLength((change as Wire).autoscaling === null ? 0 : 1);
    }
    // An autoscaler that was on its way when it was removed would act within a period of its controller, 5 s.
    await sleep(6_000);
    await deployment.stop();
    const { object } = deployment.states.at(-1) as State;
    expect(object.spec.replicas).toBe(2);
    expect(ownersOfReplicas(object), 'without an autoscaler the operator states the number').toContain(fieldManager);
  });
});

const label = 'microservice-platform.io/microservice';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever field it has something to say about
type Wire = any;

const readyAgain = (name: string) =>
  waitFor(
    `${name} to be Ready, and nothing going on`,
    async () => {
      const found = await read<MicroserviceObject>('microservice', namespace, name);
      const current = found.status.observedGeneration === found.metadata.generation;
      const settled = conditionOf(found, 'Reconciling') === undefined;
      return current && settled && conditionOf(found, 'Ready')?.status === 'True';
    },
    { timeoutMs: 120_000 },
  );

/** Waits until so many pods are asked for, are ready, and no others are left. */
const podsAre = (count: number) =>
  waitFor(
    `${count} pods`,
    async () => {
      const { spec, status } = await read<Wire>('deployment', namespace, 'autoscaled');
      if (spec.replicas !== count || status.readyReplicas !== count) return false;
      return (await list('pod', namespace, '-l', `${label}=autoscaled`)).length === count;
    },
    { timeoutMs: 150_000, everyMs: 500 },
  );

interface State {
  readonly atMs: number;
  readonly object: Wire;
}

/** Every state of an object that the API server tells of, from now on until `stop`. */
function watch(kind: string, name: string) {
  const states: State[] = [];
  const args = ['get', kind, name, '-n', namespace, '--watch', '--output=json', '--show-managed-fields'];
  const child = spawn(tool('kubectl'), ['--kubeconfig', cluster.kubeconfig, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    // One object after the other, each with its last brace on a line of its own.
    const objects = (rest + text).split(/(?<=^\}\n)/m);
    rest = objects.at(-1)?.endsWith('\n}\n') ? '' : (objects.pop() ?? '');
    const atMs = performance.now();
    states.push(...objects.map((json) => ({ atMs, object: JSON.parse(json) as Wire })));
  });
  return {
    states,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

/** Who states `replicas`, as the API server keeps it for server-side apply. */
function ownersOfReplicas({ metadata }: Wire): string[] {
  return metadata.managedFields
    .filter(({ fieldsV1 }: Wire) => fieldsV1?.['f:spec']?.['f:replicas'] !== undefined)
    .map(({ manager }: Wire) => manager);
}

/** The numbers of pods that an autoscaler set, one after the other, by its events. */
async function autoscalerMoves(name: string): Promise<number[]> {
  const selector = `--field-selector=involvedObject.name=${name},reason=SuccessfulRescale`;
  const events = await list<Wire>('events', namespace, selector, '--sort-by=.metadata.creationTimestamp');
  return events.map(({ message }) => Number(/^New size: (\d+);/.exec(message)?.[1]));
}

/** `seconds: asked for/ready`, each time that one of them changed. */
function overTime(states: readonly State[], startedMs: number): string {
  const lines = states.map(({ atMs, object: { spec, status } }) => ({
    pods: `${spec.replicas}/${status.readyReplicas ?? 0}`,
    seconds: Math.max(0, (atMs - startedMs) / 1000).toFixed(0),
  }));
  return lines
    .filter(({ pods }, at) => pods !== lines[at - 1]?.pods)
    .map(({ seconds, pods }) => `${seconds} s: ${pods}`)
    .join(', ');
}

/** How many writes of Deployments the operator counts since its start. */
async function operatorWrites(): Promise<number> {
  const metrics = await cli.get([
    '--raw',
    '/api/v1/namespaces/microservice-platform/services/operator:http/proxy/metrics',
  ]);
  const writes = metrics.matchAll(
    /^microservice_platform_api_requests_total\{verb="(?:create|apply|patch|delete)",kind="Deployment",code="\d+"\} (\d+)$/gm,
  );
  const counts = [...writes].map(([, count]) => Number(count));
  expect(counts.length, 'counters of writes').toBeGreaterThan(0);
  return counts.reduce((sum, count) => sum + count, 0);
}
