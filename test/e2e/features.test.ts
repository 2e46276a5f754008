import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tool } from '../../cluster/toolchain.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { cli, cluster, conditionOf, list, type MicroserviceObject, read, url } from '../support/cluster.ts';
import type { Target } from '../support/prometheus.ts';

const namespace = 'e2e-features';
const manifests = fileURLToPath(new URL('../../manifests/features/', import.meta.url));
const label = 'microservice-platform.io/microservice';

/** What Ready says of those that are not meant to be Available. */
const meant: Readonly<Record<string, string>> = {
  'node-port': 'NotAllowed',
  suspend: 'Suspended',
  'suspend-autoscaled': 'Suspended',
};

beforeAll(async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await cli.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }));
  const seconds = stopwatch();
  await cli.run(['apply', '-n', namespace, '-f', manifests], 60_000);
  const count = await soon(
    'every Microservice of manifests/features to be as it is meant to be',
    async () => {
      const all = await list<MicroserviceObject>('microservices', namespace);
      const others = all.filter((each) => !isSettled(each, meant[each.metadata.name] ?? 'Available'));
      if (others.length > 0) throw new Error(others.map(inWords).join('; '));
      return all.length;
    },
    180_000,
  );
  console.log(`${count} Microservices are as they are meant to be after ${seconds()} s`);
});
afterAll(() => cli.run(['delete', 'namespace', namespace, '--wait=false']));

// Each test has Microservices of its own, and spends most of its time waiting for pods.
describe.concurrent('a Microservice of manifests/features', () => {
  it('config-files: shows a changed file in the pod that runs', async () => {
    const before = await facts<{ pod: string }>('config-files');
    expect(before).toMatchObject({ greeting: 'hello', routes: { '/': 'hello' } });
    const seconds = stopwatch();
    await change('config-files', { config: { data: { 'greeting.txt': 'changed' } } });
    const after = await soon(
      'the kubelet to bring the changed file',
      async () => {
        const seen = await facts<{ pod: string; greeting: string }>('config-files');
        return seen.greeting === 'changed' && seen;
      },
      150_000,
    );
    console.log(`config-files: the changed file is there after ${seconds()} s`);
    expect(after.pod).toBe(before.pod);
    expect(await podsOf('config-files')).toHaveLength(1);
  });

  it('autoscaling-memory: is told how much memory its pods use', async () => {
    const current = await soon(
      'the autoscaler to know the memory',
      async () => {
        const { status } = await read<Autoscaler>('horizontalpodautoscaler', namespace, 'autoscaling-memory');
        return status.currentMetrics?.[0]?.resource?.current.averageValue;
      },
      150_000,
    );
    console.log(`autoscaling-memory: ${current} of 512Mi`);
    expect(Number.parseInt(current, 10)).toBeGreaterThan(0);
  });

  it('rollout: starts all new pods at once, waits for them, and keeps the old ones when they never get ready', async ({
    onTestFinished,
  }) => {
    const watched = await watchPods('rollout');
    onTestFinished(watched.stop);
    const old = versionOf((await podsOf('rollout'))[0]);
    await change('rollout', { env: [{ name: 'VERSION', value: '2' }] });
    await settled('rollout');
    const newReady = watched.moments.find(({ pods }) => pods.some((pod) => versionOf(pod) !== old && isReady(pod)));
    const oldGoes = watched.moments.find(({ pods }) => pods.some((pod) => versionOf(pod) === old && isGoing(pod)));
    const waited = ((oldGoes?.atMs ?? 0) - (newReady?.atMs ?? 0)) / 1000;
    const staying = watched.moments.map(({ pods }) => pods.filter((pod) => !isGoing(pod)));
    console.log(`rollout: the first old pod goes ${waited.toFixed(1)} s after the first new one is ready`);
    expect(Math.max(...staying.map(({ length }) => length)), 'pods at once').toBe(4);
    expect(Math.min(...staying.map((pods) => pods.filter(isReady).length)), 'ready pods').toBe(2);
    // Kubernetes counts from the beginning of a second.
    expect(waited, 'seconds, of 5').toBeGreaterThan(3.5);

    const seconds = stopwatch();
    await change('rollout', { probes: { readiness: { tcpSocket: { port: 1 } } } });
    const stalled = await soon(
      'the rollout to be given up',
      async () => conditionOf(await read<MicroserviceObject>('microservice', namespace, 'rollout'), 'Stalled'),
      90_000,
    );
    console.log(`rollout: Stalled after ${seconds()} s: ${stalled.reason}: ${stalled.message}`);
    expect(seconds()).toBeGreaterThan(25);
    expect(await answerOf('rollout')).toMatch(/^rollout-/);
    await change('rollout', { probes: null });
    await settled('rollout');
  });

  it('shutdown: hears SIGTERM at once, and answers a request that takes longer than the usual 30 seconds', async () => {
    const [pod] = await podsOf('shutdown');
    const seconds = stopwatch();
    const answer = cli.get(['--raw', pathOf('shutdown', '36')], 90_000);
    await sleep(1_000);
    await cli.run(['delete', 'pod', nameOf(pod), '-n', namespace, '--wait=false']);
    const deletedAfter = seconds();
    const { secondsAfterSigterm } = JSON.parse(await answer) as { secondsAfterSigterm: number };
    const drained = seconds() - deletedAfter - secondsAfterSigterm;
    console.log(`shutdown: SIGTERM after ${drained.toFixed(1)} s, an answer ${secondsAfterSigterm.toFixed(1)} s later`);
    expect(secondsAfterSigterm).toBeGreaterThan(30);
    expect(drained, 'seconds without SIGTERM, 5 by default').toBeLessThan(4);
  });

  it('recreate: never has pods of two versions at once', async ({ onTestFinished }) => {
    const watched = await watchPods('recreate');
    onTestFinished(watched.stop);
    const before = versionOf((await podsOf('recreate'))[0]);
    await cli.run(['rollout', 'restart', 'deployment/recreate', '-n', namespace]);
    await soon('pods of another version', async () => {
      const pods = await podsOf('recreate');
      return pods.length === 2 && pods.every((pod) => versionOf(pod) !== before && isReady(pod));
    });
    await settled('recreate');
    const versions = watched.moments.map(({ pods }) => new Set(pods.filter(isAlive).map(versionOf)));
    expect(new Set(versions.flatMap((each) => [...each])).size).toBe(2);
    expect(Math.max(...versions.map(({ size }) => size))).toBe(1);
  });

  it('disruption: lets one pod go, the next when it is back, and a single one always', async () => {
    const [first, second] = (await podsOf('disruption')).map(nameOf) as [string, string];
    await evict(first);
    await expect(evict(second)).rejects.toThrow(/disruption budget/);
    const seconds = stopwatch();
    await soon(`the eviction of ${second} to be taken`, async () => {
      await evict(second);
      return true;
    });
    console.log(`disruption: the second eviction is taken ${seconds()} s after the first`);
    const ready = (await podsOf('disruption')).filter(isReady).map(nameOf);
    expect(ready.filter((name) => name !== first && name !== second)).toHaveLength(1);

    await settled('disruption');
    await change('disruption', { replicas: 1 });
    await settled('disruption');
    await soon('the budget to allow an eviction', async () => {
      const { status } = await read<DisruptionBudget>('poddisruptionbudget', namespace, 'disruption');
      return status.expectedPods === 1 && status.disruptionsAllowed === 1;
    });
    const [only] = (await podsOf('disruption')).filter((pod) => !isGoing(pod));
    await evict(nameOf(only));
    await settled('disruption');
  });

  it('suspend: has no pods, is Ready, and comes back as it was', async () => {
    for (const name of ['suspend', 'suspend-autoscaled']) {
      expect(await podsOf(name), name).toEqual([]);
      await cli.waitFor(`microservice/${name}`, 'Ready', { namespace, timeoutMs: 5_000 });
      expect(await childrenOf(name), name).toEqual(
        ['Deployment', 'PodDisruptionBudget', 'Service', 'ServiceAccount'].toSorted(),
      );
      const seconds = stopwatch();
      await change(name, { suspend: false });
      await settled(name);
      expect(await podsOf(name), name).toHaveLength(2);
      console.log(`${name}: two pods are back after ${seconds()} s`);
    }
    const { spec } = await read<Autoscaler>('horizontalpodautoscaler', namespace, 'suspend-autoscaled');
    expect(spec).toMatchObject({ minReplicas: 2, maxReplicas: 3 });
    for (const name of ['suspend', 'suspend-autoscaled']) {
      await change(name, { suspend: true });
      await settled(name, 'Suspended');
      await soon(`the pods of ${name} to go`, async () => (await podsOf(name)).length === 0);
      expect(await childrenOf(name), name).not.toContain('HorizontalPodAutoscaler');
    }
  });

  it('probes: is asked with the header, and is started anew when the command fails', async () => {
    expect(await facts('probes')).toEqual(['readiness /ready by kube-probe']);
    const seconds = stopwatch();
    await cli.run(['exec', '-n', namespace, 'deployment/probes', '--', 'rm', '/tmp/alive']);
    await soon('another start of the container', async () => {
      const [pod] = await podsOf('probes');
      return pod?.status.containerStatuses?.[0]?.restartCount === 1 && isReady(pod);
    });
    console.log(`probes: started anew, and ready again after ${seconds()} s`);
  });

  it('config-variables: has its variables, and with a change of them other pods', async () => {
    const before = await facts<{ pod: string }>('config-variables');
    expect(before).toMatchObject({ GREETING: 'hello', LOG_LEVEL: 'debug' });
    const seconds = stopwatch();
    await change('config-variables', { config: { data: { GREETING: 'changed' } } });
    await soon('the changed variable', async () => {
      const after = await facts<{ pod: string; GREETING: string }>('config-variables');
      return after.GREETING === 'changed' && after.pod !== before.pod;
    });
    console.log(`config-variables: the changed variable is there after ${seconds()} s`);
  });

  it('config-map: gets other pods with a change of the key in use, and only then', async () => {
    const before = await facts<{ pod: string; GREETING: string }>('config-map');
    const changed = (patch: object) =>
      cli.run([
        'patch',
        'configmap',
        'config-map-shared',
        '-n',
        namespace,
        '--type=merge',
        '-p',
        JSON.stringify(patch),
      ]);
    const versions = async () => (await list('replicasets', namespace, '-l', `${label}=config-map`)).length;
    expect(await versions(), 'made once').toBe(1);
    await changed({ metadata: { labels: { team: 'features' } } });
    await changed({ data: { unused: 'after' } });
    // A change that counts is acted on within a second.
    await sleep(5_000);
    expect(await facts('config-map')).toEqual(before);
    expect(await versions()).toBe(1);
    const seconds = stopwatch();
    await changed({ data: { greeting: 'changed' } });
    await soon('the changed value in another pod', async () => {
      const after = await facts<{ pod: string; GREETING: string }>('config-map');
      return after.GREETING === 'changed' && after.pod !== before.pod;
    });
    console.log(`config-map: the changed value is there after ${seconds()} s`);
    expect(await versions()).toBe(2);
  });

  it('pod-labels: has them, and is restarted once by kubectl rollout restart, whatever is written later', async () => {
    const [pod] = await list<Pod>('pods', namespace, '-l', 'team=features,example.com/tier=demo');
    expect(pod?.metadata).toMatchObject({
      labels: { [label]: 'pod-labels' },
      annotations: { 'example.com/contact': 'features@example.com' },
    });
    await cli.run(['rollout', 'restart', 'deployment/pod-labels', '-n', namespace]);
    const restarted = await soon('one pod, another one', async () => {
      const names = (await podsOf('pod-labels')).filter((each) => !isGoing(each) && isReady(each)).map(nameOf);
      return names.length === 1 && names[0] !== nameOf(pod) && names;
    });
    // The first is a reason to look at everything again, the second one to write the Deployment.
    await cli.run(['annotate', 'microservice', 'pod-labels', '-n', namespace, 'example.com/touched=yes']);
    await change('pod-labels', { rollout: { progressDeadlineSeconds: 200 } });
    await soon('the Deployment to be written', async () => {
      const { spec } = await read<Deployment>('deployment', namespace, 'pod-labels');
      return spec.progressDeadlineSeconds === 200;
    });
    await settled('pod-labels');
    expect((await podsOf('pod-labels')).filter((each) => !isGoing(each)).map(nameOf)).toEqual(restarted);
    expect(await list('replicasets', namespace, '-l', `${label}=pod-labels`)).toHaveLength(2);
  });

  it('observability: is asked for metrics where it says, and told where its traces go and which pod it is', async () => {
    const [pod] = await podsOf('observability');
    const env = await facts<Record<string, string>>('observability');
    expect(env).toMatchObject({
      OTEL_SERVICE_NAME: 'seen',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
      OTEL_EXPORTER_OTLP_ENDPOINT: expect.stringContaining('jaeger'),
    });
    const attributes = env.OTEL_RESOURCE_ATTRIBUTES?.split(',') ?? [];
    expect(attributes).toContain(`k8s.pod.name=${nameOf(pod)}`);
    expect(attributes).toContain(`k8s.node.name=${pod?.spec.nodeName}`);
    const target = await soon('Prometheus to have asked it', async () => {
      const answer = await fetch(`${url('prometheus')}/api/v1/targets?state=active`, {
        signal: AbortSignal.timeout(10_000),
      });
      const { data } = (await answer.json()) as { data: { activeTargets: readonly Target[] } };
      const found = data.activeTargets.filter(({ labels }) => labels.pod === nameOf(pod));
      return found.length === 1 && found[0]?.health === 'up' && found[0];
    });
    expect(target.scrapeUrl).toMatch(/:9090\/internal\/metrics$/);
  });

  it('scheduling: runs where it may, and says so when there is no such node', async () => {
    const [pod] = await podsOf('scheduling');
    const node = await read<{ metadata: Labelled }>('node', namespace, pod?.spec.nodeName ?? '');
    expect(node.metadata.labels?.['kubernetes.io/os']).toBe('linux');
    await change('scheduling', { scheduling: { nodeSelector: { 'kubernetes.io/os': 'plan9' } } });
    const ready = await soon('the Microservice to say that there is no node', async () => {
      const found = conditionOf(await read<MicroserviceObject>('microservice', namespace, 'scheduling'), 'Ready');
      return found?.reason === 'Unschedulable' && found;
    });
    console.log(`scheduling: ${ready.message}`);
    expect(await answerOf('scheduling')).toMatch(/^scheduling-/);
    await change('scheduling', { scheduling: { nodeSelector: { 'kubernetes.io/os': 'linux' } } });
    await settled('scheduling');
  });

  it('session-affinity: leads all requests of a pod to one pod, where others are spread over two', async () => {
    const names = async (service: string): Promise<string[]> => {
      const script = `
        const { get } = require('node:http');
        const ask = () => new Promise((resolve, reject) => {
          get('http://${service}', { agent: false }, async (it) => resolve((await it.toArray()).join(''))).on('error', reject);
        });
        (async () => {
          const names = [];
          for (let count = 0; count < 30; count += 1) names.push(await ask());
          console.log(JSON.stringify([...new Set(names)]));
        })();`;
      return JSON.parse(await inPod('headless', script));
    };
    expect(await names('session-affinity')).toHaveLength(1);
    expect(await names('scheduling')).toHaveLength(2);
  });

  it('headless: has a name that leads to the addresses of its pods', async () => {
    const addresses = (await podsOf('headless')).map(({ status }) => status.podIP ?? '').toSorted();
    expect(addresses).toHaveLength(2);
    await soon(`the name to lead to ${addresses.join(' and ')}`, async () => {
      const found = await facts<string[]>('headless');
      return JSON.stringify(found.toSorted()) === JSON.stringify(addresses);
    });
  });

  it('node-port: says that it is not allowed and how it would be, and answers inside the cluster', async () => {
    const microservice = await read<MicroserviceObject>('microservice', namespace, 'node-port');
    const ready = conditionOf(microservice, 'Ready');
    console.log(`node-port: ${ready?.message}`);
    expect(ready).toMatchObject({ status: 'False', reason: 'NotAllowed' });
    expect(ready?.message).toMatch(/NodePort is not allowed.*operator\.serviceTypes/);
    expect(conditionOf(microservice, 'Stalled')?.reason).toBe('NotAllowed');
    const { spec } = await read<{ spec: { type: string } }>('service', namespace, 'node-port');
    expect(spec.type).toBe('ClusterIP');
    const script = "fetch('http://node-port').then((it) => it.text()).then(console.log)";
    expect(await inPod('headless', script)).toMatch(/^node-port-/);
  });

  it('env: has a variable of every source', async () => {
    const [pod] = await podsOf('env');
    const env = await facts<Record<string, string>>('env');
    expect(env).toMatchObject({
      PLAIN: 'as it stands',
      COMPOSED: 'as it stands and more',
      COLOR: 'green',
      PASSWORD: 'for-demonstration-only',
      POD: nameOf(pod),
      ADDRESS: pod?.status.podIP,
      MEMORY_MIB: '128',
      ALL_COLOR: 'green',
      ALL_SIZE: 'large',
      password: 'for-demonstration-only',
    });
    expect(Object.keys(env)).not.toContain('MISSING');
  });

  it('volumes: finds what each volume holds, with its mode and group', async () => {
    const seen = await facts<{ files: Record<string, unknown> }>('volumes');
    const labels = expect.stringContaining(`${label}="volumes"`);
    expect(seen).toEqual({
      files: {
        '/scratch/note': { text: 'written by the service', mode: '644', gid: 2000 },
        '/credentials/password': { text: 'for-demonstration-only', mode: '440', gid: 2000 },
        '/settings/renamed/first.conf': { text: 'first', mode: '444', gid: 2000 },
        '/single.conf': { text: 'first', mode: '444', gid: 2000 },
        '/about/labels': { text: labels, mode: '644', gid: 2000 },
        '/about/memory': { text: String(128 * 1024 * 1024), mode: '644', gid: 2000 },
        '/everything/second.conf': { text: 'second', mode: '440', gid: 2000 },
        '/everything/password': { text: 'for-demonstration-only', mode: '440', gid: 2000 },
        '/everything/name': { text: expect.stringMatching(/^volumes-/), mode: '440', gid: 2000 },
      },
      inMemory: true,
      settings: ['renamed'],
      token: { aud: ['vault'], sub: `system:serviceaccount:${namespace}:volumes` },
    });
  });

  it('sidecar: has what the init container left, and is answered by the sidecar', async () => {
    expect(await facts('sidecar')).toEqual({ prepared: 'by the init container', greeting: 'by the sidecar' });
    const [pod] = await podsOf('sidecar');
    const statuses = pod?.status.initContainerStatuses?.map(({ name, ready, started }) => ({ name, ready, started }));
    expect(statuses).toEqual([
      { name: 'prepare', ready: true, started: false },
      { name: 'greeter', ready: true, started: true },
    ]);
  });

  it('security-context: has its user and groups, port 80, and may write to the root filesystem', async () => {
    const seen = await facts<{ groups: readonly number[] }>('security-context');
    expect(seen).toMatchObject({
      uid: 1000,
      gid: 1500,
      // NET_BIND_SERVICE, and no other.
      allowed: '0000000000000400',
      notes: [
        { path: '/var/tmp/note', uid: 1000, gid: 1500 },
        { path: '/data/note', uid: 1000, gid: 2000 },
      ],
      port: 80,
    });
    expect(seen.groups).toEqual(expect.arrayContaining([2000, 3000]));
  });

  it('service-account: is itself, another one or nobody at the API server', async () => {
    const user = (name: string) => `system:serviceaccount:${namespace}:${name}`;
    expect(await facts('service-account')).toEqual({ token: true, user: user('service-account') });
    expect(await facts('service-account-named')).toEqual({ token: true, user: user('service-account-shared') });
    expect(await facts('service-account-no-token')).toEqual({ token: false });
    const { metadata } = await read<{ metadata: Labelled }>('serviceaccount', namespace, 'service-account');
    expect(metadata.annotations?.['example.com/role']).toBe('reader');
    expect(await childrenOf('service-account-named')).not.toContain('ServiceAccount');
  });

  it('dns: resolves as it is told, and knows names by itself', async () => {
    const { resolver, address } = await facts<{ resolver: string[]; address: string }>('dns');
    expect(address).toBe('192.0.2.7');
    expect(resolver).toContainEqual(expect.stringMatching(/^search .*cluster\.local.* acme\.example$/));
    const [, ...options] = resolver.find((line) => line.startsWith('options '))?.split(' ') ?? [];
    expect(options.toSorted()).toEqual(['ndots:2', 'rotate']);
    expect(await facts('dns-none')).toEqual({ resolver: ['search acme.example', 'nameserver 192.0.2.53'] });
  });

  it('ports: answers on each, TCP and UDP on the same number too, and shows the one that speaks HTTP', async () => {
    const script = `
      const udp = require('node:dgram').createSocket('udp4');
      const tcp = require('node:net').connect(9000, 'ports').setEncoding('utf8');
      const datagram = new Promise((resolve) => udp.once('message', (message) => resolve(String(message))));
      udp.send('hello', 9000, 'ports');
      (async () => {
        const web = await (await fetch('http://ports')).text();
        console.log(JSON.stringify({ web, udp: await datagram, tcp: (await tcp.toArray()).join('') }));
        process.exit();
      })();`;
    expect(JSON.parse(await inPod('headless', script))).toEqual({ web: 'http', udp: 'udp hello', tcp: 'tcp' });
    const { status } = await read<{ status: { url: string } }>('microservice', namespace, 'ports');
    expect(status.url).toBe(`http://ports.${namespace}.svc:80`);
    const { spec } = await read<{ spec: { ports: { name: string; appProtocol?: string }[] } }>(
      'service',
      namespace,
      'ports',
    );
    expect(spec.ports.find(({ name }) => name === 'web')?.appProtocol).toBe('http');
  });
});

describe('manifests/features, deleted', () => {
  it('leave nothing in the namespace but what is its own', async () => {
    const kinds = (await cli.run(['api-resources', '--namespaced', '--verbs=list', '--output=name']))
      .split('\n')
      .filter((kind) => kind !== '' && !kind.startsWith('events') && !kind.includes('.metrics.k8s.io'));
    const seconds = stopwatch();
    await cli.run(['delete', '-n', namespace, '-f', manifests, '--wait=false'], 60_000);
    await soon('everything to be gone', async () => {
      const left = (await cli.get([kinds.join(','), '-n', namespace, '--output=name'])).split('\n').filter(Boolean);
      if (left.length > 2) throw new Error(left.join(' '));
      expect(left.toSorted()).toEqual(['configmap/kube-root-ca.crt', 'serviceaccount/default']);
      return true;
    });
    console.log(`nothing is left after ${seconds()} s`);
  });
});

interface Labelled {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Pod {
  readonly metadata: Labelled & { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly restartCount: number;
}

interface Autoscaler {
  readonly spec: { readonly minReplicas: number; readonly maxReplicas: number };
  readonly status: {
    readonly currentMetrics?: readonly {
      readonly resource?: { readonly current: { readonly averageValue: string } };
    }[];
  };
}

interface Deployment {
  readonly spec: { readonly progressDeadlineSeconds: number };
}

interface DisruptionBudget {
  readonly status: { readonly expectedPods: number; readonly disruptionsAllowed: number };
}

/** As `eventually`, but asking less often: many ask at once, and the cluster is on the same machine. */
function soon<T>(what: string, ask: () => Promise<T | undefined | false>, timeoutMs = 90_000): Promise<T> {
  return waitFor(what, ask, { timeoutMs, everyMs: 1000 });
}

/** Seconds since now, with one decimal. */
function stopwatch(): () => number {
  const started = performance.now();
  return () => Math.round((performance.now() - started) / 100) / 10;
}

function isSettled(microservice: MicroserviceObject, reason: string): boolean {
  const { metadata, status } = microservice;
  const isCurrent = status.observedGeneration === metadata.generation;
  return (
    isCurrent && conditionOf(microservice, 'Ready')?.reason === reason && !conditionOf(microservice, 'Reconciling')
  );
}

function inWords(microservice: MicroserviceObject): string {
  const ready = conditionOf(microservice, 'Ready');
  return `${microservice.metadata.name}: ${ready?.reason} ${ready?.message}`;
}

function settled(name: string, reason = 'Available'): Promise<true> {
  return soon(`${name} to be ${reason}`, async () => {
    const found = await read<MicroserviceObject>('microservice', namespace, name);
    if (!isSettled(found, reason)) throw new Error(inWords(found));
    return true;
  });
}

function change(name: string, spec: object): Promise<string> {
  const patch = JSON.stringify({ spec });
  return cli.run(['patch', 'microservice', name, '-n', namespace, '--type=merge', '-p', patch]);
}

async function childrenOf(name: string): Promise<string[]> {
  const { status } = await read<{ status: { children: { kind: string }[] } }>('microservice', namespace, name);
  return status.children.map(({ kind }) => kind).toSorted();
}

function pathOf(name: string, path = ''): string {
  return `/api/v1/namespaces/${namespace}/services/${name}:http/proxy/${path}`;
}

/** What the service says to GET /, through the API server and its Service. */
function answerOf(name: string): Promise<string> {
  return cli.get(['--raw', pathOf(name)]);
}

async function facts<T>(name: string): Promise<T> {
  return JSON.parse(await answerOf(name));
}

/** What a program prints in a pod of the service. */
function inPod(name: string, script: string): Promise<string> {
  return cli.run(['exec', '-n', namespace, `deployment/${name}`, '--', 'node', '--eval', script], 60_000);
}

/** Asks for a pod to go as a drain of its node does. */
function evict(name: string): Promise<string> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  return cli.run(['create', '--raw', path, '-f', '-'], 30_000, JSON.stringify(eviction));
}

function podsOf(name: string): Promise<readonly Pod[]> {
  return list<Pod>('pods', namespace, '-l', `${label}=${name}`);
}

const nameOf = (pod: Pod | undefined) => pod?.metadata.name ?? 'no pod';
const versionOf = (pod: Pod | undefined) => pod?.metadata.labels?.['pod-template-hash'];
const isGoing = (pod: Pod) => pod.metadata.deletionTimestamp !== undefined;
const isReady = (pod: Pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
/** A pod whose processes ended may be there for a moment more. */
const isAlive = (pod: Pod) => pod.status.phase === 'Pending' || pod.status.phase === 'Running';

interface Moment {
  readonly atMs: number;
  /** Those that there are. */
  readonly pods: readonly Pod[];
}

/** The pods of a Microservice, now, and then each time that one of them changes, until `stop`. */
async function watchPods(name: string) {
  const moments: Moment[] = [];
  const args = [
    'get',
    'pods',
    '-l',
    `${label}=${name}`,
    '-n',
    namespace,
    '--watch',
    '--output-watch-events',
    '-o=json',
  ];
  const child = spawn(tool('kubectl'), ['--kubeconfig', cluster.kubeconfig, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // One event a line.
  createInterface(child.stdout).on('line', (line) => {
    const { type, object } = JSON.parse(line) as { type: string; object: Pod };
    const others = (moments.at(-1)?.pods ?? []).filter(({ metadata }) => metadata.uid !== object.metadata.uid);
    moments.push({ atMs: performance.now(), pods: type === 'DELETED' ? others : [...others, object] });
  });
  const count = (await podsOf(name)).length;
  await soon(`the ${count} pods of ${name} to be told of`, async () => moments.at(-1)?.pods.length === count);
  moments.splice(0, moments.length - 1);
  return {
    moments,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
