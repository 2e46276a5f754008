import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { waitFor } from '../../cluster/wait-for.ts';
import { cli, cluster, conditionOf, list, type MicroserviceObject, read, url } from '../support/cluster.ts';
import { startLoad } from '../support/load-pod.ts';

const namespace = 'e2e-custom-metrics';
const name = 'autoscaled-by-requests';
const platform = 'microservice-platform';
const group = '/apis/custom.metrics.k8s.io';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever field it has something to say about
type Wire = any;

// In somebody's cluster make up serves no custom metrics: they may have an adapter of their own.
describe.skipIf(cluster.way === 'context')('a Microservice whose number of pods follows its requests', () => {
  let image: string;

  beforeAll(async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await cli.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }));
    const manifest: Wire = parse(readFileSync(new URL(`../../manifests/${name}.yaml`, import.meta.url), 'utf8'));
    image = manifest.spec.image;
    await cli.apply(JSON.stringify({ ...manifest, metadata: { name, namespace } }));
    await cli.waitFor(`microservice/${name}`, 'Ready', { namespace, timeoutMs: 60_000 });
  });
  afterAll(() => cli.run(['delete', 'namespace', namespace, '--timeout=120s'], 150_000));

  it('counts as idle, and not as unknown, while nobody but its health is asked for', async () => {
    const [figure] = await waitFor(
      'a figure of its pod',
      async () => {
        const found = await figures().catch(() => []);
        return found.length === 1 && found;
      },
      { timeoutMs: 60_000 },
    );
    expect(figure).toBe(0);
  });

  it('is scaled out to as many pods as its requests need and in again, by figures that leave out its health', async () => {
    const load = await startLoad(namespace, name, image);
    const started = performance.now();
    const seconds = () => ((performance.now() - started) / 1000).toFixed(0);
    await load.set(24);
    await podsAre(3);
    console.log(`24 requests a second: 3 pods after ${seconds()} s`);
    // Its health and its metrics are asked for too, and do not count.
    const spread = await waitFor(
      'a figure of each pod, and all of them together what is sent',
      async () => {
        const found = await figures();
        const sum = found.reduce((all, figure) => all + figure, 0);
        return found.length === 3 && Math.min(...found) > 4 && Math.abs(sum - 24) < 1.5 && found;
      },
      { timeoutMs: 120_000, everyMs: 1_000 },
    );
    console.log(`requests a second of each pod: ${spread.join(', ')}`);
    console.log(await cli.get(['hpa,microservice', '-n', namespace, '-o', 'wide']));
    expect(await read<Wire>('microservice', namespace, name)).toMatchObject({ status: { scale: '1-3 @ 10 req/s' } });

    await load.set(4);
    const less = performance.now();
    await podsAre(1);
    console.log(`4 requests a second: 1 pod after ${((performance.now() - less) / 1000).toFixed(0)} s`);
    const { sent, answered, failed } = await load.end();
    console.log(`${sent} requests in ${seconds()} s, ${answered} answered`);
    expect(failed).toEqual({});
    expect(answered).toBe(sent);

    const found = await read<MicroserviceObject>('microservice', namespace, name);
    expect(conditionOf(found, 'AutoscalingInactive')).toBeUndefined();
  });

  it('is served by an adapter that the API server trusts by its certificate, and that Prometheus watches', async () => {
    const services = await list<Wire>('apiservices', platform, '-l', 'app.kubernetes.io/name=metrics-adapter');
    expect(services.map(({ metadata }): string => metadata.name).sort()).toEqual([
      'v1beta1.custom.metrics.k8s.io',
      'v1beta2.custom.metrics.k8s.io',
    ]);
    for (const { spec, status } of services) {
      expect(spec).toMatchObject({ caBundle: expect.stringMatching(/.+/) });
      expect(spec.insecureSkipTLSVerify).toBeUndefined();
      expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Available', status: 'True' }));
    }
    const query = encodeURIComponent('up{job="metrics-adapter"}');
    const answer: Wire = await (await fetch(`${url('prometheus')}/api/v1/query?query=${query}`)).json();
    expect(answer.data.result.map(({ value }: Wire) => value[1])).toEqual(['1']);
  });

  it('is told to a person, and stays Ready, while nobody tells the autoscaler its requests', async () => {
    const before = conditionOf(await read<MicroserviceObject>('microservice', namespace, name), 'Ready');
    const scale = (replicas: number) =>
      cli.run(['scale', 'deployment', 'metrics-adapter', '-n', platform, `--replicas=${replicas}`], 30_000);
    await scale(0);
    try {
      const inactive = await waitFor(
        'the status to say so',
        async () =>
          conditionOf(await read<MicroserviceObject>('microservice', namespace, name), 'AutoscalingInactive') ?? false,
        { timeoutMs: 180_000, everyMs: 1_000 },
      );
      console.log(inactive.message);
      expect(inactive).toMatchObject({
        status: 'True',
        reason: 'RequestRateMissing',
        message: expect.stringContaining('customMetrics.enabled=true'),
      });
      const { resourceVersion } = (await read<MicroserviceObject>('microservice', namespace, name)).metadata;
      await sleep(15_000); // three rounds of the autoscaler, whose status changes with each
      const later = await read<MicroserviceObject>('microservice', namespace, name);
      expect(later.metadata.resourceVersion, 'nothing is written meanwhile').toBe(resourceVersion);
      expect(conditionOf(later, 'Ready')).toEqual(before);
    } finally {
      await scale(1);
      await cli.waitFor('deployment/metrics-adapter', 'Available', { namespace: platform, timeoutMs: 60_000 });
    }
    await waitFor(
      'the condition to go',
      async () =>
        conditionOf(await read<MicroserviceObject>('microservice', namespace, name), 'AutoscalingInactive') ===
        undefined,
      { timeoutMs: 120_000, everyMs: 1_000 },
    );
  });
});

/** Requests a second of each of its pods, as the autoscaler is told. */
async function figures(): Promise<readonly number[]> {
  const selector = `labelSelector=microservice-platform.io%2Fmicroservice%3D${name}`;
  const path = `${group}/v1beta2/namespaces/${namespace}/pods/*/http_requests_per_second?${selector}`;
  const { items } = JSON.parse(await cli.get(['--raw', path])) as { readonly items: readonly Wire[] };
  return items.map(({ value }): number => (value.endsWith('m') ? Number.parseInt(value, 10) / 1000 : Number(value)));
}

/** Waits until so many pods are asked for, are ready, and no others are left. */
const podsAre = (count: number) =>
  waitFor(
    `${count} pods`,
    async () => {
      const { spec, status } = await read<Wire>('deployment', namespace, name);
      if (spec.replicas !== count || status.readyReplicas !== count) return false;
      return (await list('pod', namespace, '-l', `microservice-platform.io/microservice=${name}`)).length === count;
    },
    { timeoutMs: 150_000, everyMs: 500 },
  );
