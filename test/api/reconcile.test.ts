import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { waitFor } from '../../cluster/wait-for.ts';
import type { Microservice, MicroserviceSpec } from '../../operator/src/api/microservice.generated.ts';
import type { KubeObject } from '../../operator/src/api/object.ts';
import { fromKubeconfig } from '../../operator/src/cluster/connection.ts';
import { KubeCluster } from '../../operator/src/cluster/kube-cluster.ts';
import { Transport } from '../../operator/src/cluster/transport.ts';
import type { Next } from '../../operator/src/reconcile/next.ts';
import { reconcile } from '../../operator/src/reconcile/reconcile.ts';
import { openLog } from '../../operator/src/support/log.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { rolledOut } from '../support/live-objects.ts';
import { definitionPath, microservice } from '../support/microservice.ts';

/** One pass after the other, by hand, against a real API server; the Deployment's controller is played by the test. */
const policy = { serviceTypes: ['ClusterIP'], readsSecrets: false } as const;

describe('reconcile', () => {
  let controlPlane: ControlPlane;
  let user: Transport;
  let cluster: KubeCluster;
  let transport: Transport;
  /** Every request of the operator as `verb Kind`, but for watches and lists, and for events, which nothing waits for. */
  const requests: string[] = [];
  let events = 0;
  const names: string[] = [];
  let name = '';
  const key = () => ({ namespace: 'default', name });
  const clock = { now: () => new Date() };

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    const connection = await fromKubeconfig(controlPlane.kubeconfig);
    user = new Transport(connection);
    transport = new Transport(connection, {
      observe: (verb, kind) => {
        if (kind === 'Event') events += 1;
        else if (verb !== 'watch' && verb !== 'list') requests.push(`${verb} ${kind}`);
      },
    });
    await send(
      'POST',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      parse(readFileSync(definitionPath, 'utf8')),
    );
    await waitFor('the resource to be served', () => send('GET', microservices), { everyMs: 50 });
    const log = openLog('error');
    cluster = new KubeCluster({ transport, log, instance: 'test', onChange: () => {} });
    cluster.start();
    await cluster.firstSync();
  });
  afterAll(async () => {
    await cluster?.stop();
    await transport?.close(1_000);
    await user?.close(1_000);
    await controlPlane?.stop();
  });
  beforeEach(() => {
    name = `orders-${names.push('')}`;
    requests.length = 0;
  });

  const microservices = '/apis/microservice-platform.io/v1alpha1/namespaces/default/microservices';
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  const services = '/api/v1/namespaces/default/services';

  function send(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<KubeObject> {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    return user.call({
      verb: 'get',
      kind: 'user',
      target: path,
      method,
      path,
      repeatable: false,
      contentType,
      ...(body === undefined ? {} : { body }),
    }) as Promise<KubeObject>;
  }

  const create = (spec: Partial<MicroserviceSpec> = {}) => {
    const { apiVersion, kind, spec: whole } = microservice({ spec });
    return send('POST', microservices, { apiVersion, kind, metadata: { name }, spec: whole });
  };
  const read = async () => (await send('GET', `${microservices}/${name}`)) as Microservice;
  const readDeployment = () => send('GET', `${deployments}/${name}`);

  const has = (kind: string) => cluster.children(key()).some((child) => child.kind === kind);

  /** Waits until memory holds what the user just did. */
  async function seen(object: KubeObject): Promise<void> {
    const holders = () =>
      object.kind === 'Microservice'
        ? [cluster.microservice(key())]
        : [...cluster.children(key()), ...cluster.pods(key())];
    await waitFor(
      `memory to show ${object.kind} ${name}`,
      async () =>
        holders().some(
          (it) => it?.kind === object.kind && it.metadata.resourceVersion === object.metadata.resourceVersion,
        ),
      { everyMs: 5 },
    );
  }

  /** Passes until one changes nothing more. */
  async function settle(): Promise<Next> {
    for (let pass = 0; pass < 10; pass += 1) {
      await waitFor('memory to catch up', async () => cluster.caughtUp(key()), { everyMs: 5 });
      const before = requests.length;
      const next = await reconcile(key(), { cluster, clock, policy });
      if (requests.length === before) return next;
    }
    throw new Error('ten passes and no end');
  }

  /** What a Deployment's controller and kubelets would report. */
  async function rollOut(replicas: number): Promise<void> {
    const { metadata } = await readDeployment();
    const status = rolledOut(replicas, metadata.generation);
    await seen(await send('PATCH', `${deployments}/${name}/status`, { status }));
  }

  async function running(spec: Partial<MicroserviceSpec> = {}): Promise<void> {
    await seen(await create({ replicas: 2, ...spec }));
    await settle();
    await rollOut(2);
    await settle();
    requests.length = 0;
  }

  const readiness = ({ status }: Microservice) =>
    status?.conditions?.map(({ type, status: is, reason }) => `${type}=${is} ${reason}`);

  it('makes a Microservice with one write for each child and two for the status, and then rests', async () => {
    await seen(
      await create({
        autoscaling: {
          minReplicas: 2,
          maxReplicas: 3,
          cpu: 70,
          behavior: {
            scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 30 }], selectPolicy: 'Min' },
            scaleDown: { stabilizationWindowSeconds: 0 },
          },
        },
        resources: { requests: { cpu: '100m' } },
      }),
    );
    await settle();
    expect(readiness(await read())).toEqual(['Ready=False Progressing', 'Reconciling=True Progressing']);
    // The autoscaler raises the count; one pod comes up, then the other.
    await seen(await send('PATCH', `${deployments}/${name}/scale`, { spec: { replicas: 2 } }).then(readDeployment));
    await settle();
    const { metadata } = await readDeployment();
    const halfway = { ...rolledOut(2, metadata.generation), readyReplicas: 1, availableReplicas: 1 };
    await seen(await send('PATCH', `${deployments}/${name}/status`, { status: halfway }));
    await settle();
    await rollOut(2);
    await settle();
    const ready = await read();
    expect(readiness(ready)).toEqual(['Ready=True Available']);
    expect(ready.status).toMatchObject({ observedGeneration: 1, pods: '2/2', version: '1.4.2' });
    await waitFor('one event', async () => events === 1, { everyMs: 5 });
    expect(requests.toSorted()).toEqual([
      'create Deployment',
      'create HorizontalPodAutoscaler',
      'create PodDisruptionBudget',
      'create Service',
      'create ServiceAccount',
      'patch Microservice',
      'patch Microservice',
    ]);
    requests.length = 0;
    expect(await settle()).toEqual({ kind: 'settled' });
    expect(requests).toEqual([]);
  });

  it('repairs a child that was edited, or deleted, by hand', async () => {
    await running();
    const container = { name, image: 'evil:1' };
    const edit = { spec: { template: { spec: { containers: [container] } } } };
    await seen(await send('PATCH', `${deployments}/${name}`, edit));
    await settle();
    const { spec } = (await readDeployment()) as { spec?: { template: { spec: { containers: object[] } } } };
    expect(spec?.template.spec.containers).toMatchObject([{ image: 'ghcr.io/acme/orders:1.4.2' }]);
    await send('DELETE', `${services}/${name}`);
    await waitFor('memory to lose the Service', async () => !has('Service'), { everyMs: 5 });
    await settle();
    expect((await send('GET', `${services}/${name}`)).metadata.ownerReferences).toHaveLength(1);
  });

  it('leaves kubectl rollout restart alone', async () => {
    await running();
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
    const restarted = await send('PATCH', `${deployments}/${name}`, {
      spec: { template: { metadata: { annotations } } },
    });
    await seen(restarted);
    await settle();
    expect(requests.filter((it) => it.includes('Deployment'))).toEqual([]);
    expect((await readDeployment()).metadata.generation).toBe(restarted.metadata.generation);
  });

  it('takes up a child of its own that lost its labels', async () => {
    await running();
    await send('PATCH', `${services}/${name}`, {
      metadata: { labels: { 'app.kubernetes.io/managed-by': null } },
    });
    await waitFor('memory to lose the Service', async () => !has('Service'), { everyMs: 5 });
    await settle();
    expect(requests).toEqual(['get Microservice', 'create Service', 'get Service', 'apply Service']);
    expect(readiness(await read())).toEqual(['Ready=True Available']);
  });

  it('refuses a child of somebody else, does not touch it, and says so', async () => {
    const theirs = { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 99 }] } };
    const before = await send('POST', services, theirs);
    await seen(await create());
    const next = await settleOnce();
    expect(next).toMatchObject({ kind: 'after', ms: 30_000 });
    expect((await send('GET', `${services}/${name}`)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    const ms = await read();
    expect(readiness(ms)).toEqual(['Ready=False Conflict', 'Stalled=True Conflict']);
    expect(ms.status?.conditions?.[0]?.message).toContain(`Service default/${name}`);
    expect(ms.status?.children?.map(({ kind }) => kind)).toEqual([
      'Deployment',
      'PodDisruptionBudget',
      'ServiceAccount',
    ]);
  });

  /** A pass, and one more that finds nothing new to write about. */
  async function settleOnce(): Promise<Next> {
    await reconcile(key(), { cluster, clock, policy });
    await waitFor('memory to catch up', async () => cluster.caughtUp(key()), { everyMs: 5 });
    return reconcile(key(), { cluster, clock, policy });
  }

  it('removes what is no longer asked for', async () => {
    await running();
    await seen(await send('PATCH', `${microservices}/${name}`, { spec: { ports: null } }));
    await settle();
    await expect(send('GET', `${services}/${name}`)).rejects.toThrow(/not found/);
    expect((await read()).status).not.toHaveProperty('url');
  });

  it('keeps the pods that run when an autoscaler takes over', async () => {
    await running({ replicas: 2, resources: { requests: { cpu: '100m' } } });
    const autoscaling = { minReplicas: 1, maxReplicas: 5, cpu: 70 };
    await seen(await send('PATCH', `${microservices}/${name}`, { spec: { autoscaling } }));
    await settle();
    expect((await readDeployment()).spec).toMatchObject({ replicas: 2 });
    expect(requests.filter((it) => !it.includes('Microservice')).toSorted()).toEqual([
      'apply Deployment',
      'apply Deployment',
      'create HorizontalPodAutoscaler',
    ]);
  });

  it('makes the autoscaler after it stopped stating the replicas, and removes it before it states them again', async () => {
    await running({ replicas: 2, resources: { requests: { cpu: '100m' } } });
    await seen(await send('PATCH', `${microservices}/${name}`, { spec: { autoscaling: { maxReplicas: 5, cpu: 70 } } }));
    await settle();
    await seen(await send('PATCH', `${microservices}/${name}`, { spec: { autoscaling: null } }));
    await settle();
    expect(requests.filter((it) => /Deployment|Autoscaler/.test(it))).toEqual([
      'apply Deployment',
      'apply Deployment',
      'create HorizontalPodAutoscaler',
      'delete HorizontalPodAutoscaler',
      'apply Deployment',
    ]);
  });

  it('leaves Ready alone, and writes nothing but the status, while the autoscaler adds a pod', async () => {
    await running({
      autoscaling: { minReplicas: 2, maxReplicas: 5, cpu: 70 },
      resources: { requests: { cpu: '100m' } },
    });
    await seen(await send('PATCH', `${deployments}/${name}/scale`, { spec: { replicas: 2 } }).then(readDeployment));
    await rollOut(2);
    await settle();
    expect(readiness(await read())).toEqual(['Ready=True Available']);
    requests.length = 0;
    // The new number first, unseen by the Deployment's controller; then seen, and one pod is missing; then it is there.
    await seen(await send('PATCH', `${deployments}/${name}/scale`, { spec: { replicas: 3 } }).then(readDeployment));
    await settle();
    expect(readiness(await read())).toEqual(['Ready=True Available', 'Reconciling=True Progressing']);
    const { metadata } = await readDeployment();
    const missing = { ...rolledOut(3, metadata.generation), readyReplicas: 2, availableReplicas: 2 };
    await seen(await send('PATCH', `${deployments}/${name}/status`, { status: missing }));
    await settle();
    expect(readiness(await read())).toEqual(['Ready=True Available', 'Reconciling=True Progressing']);
    await rollOut(3);
    await settle();
    expect(readiness(await read())).toEqual(['Ready=True Available']);
    expect(requests).toEqual(['patch Microservice', 'patch Microservice']);
  });

  it('says in the status what the API server refuses, and goes on with the other children', async () => {
    // The schema does not compare the paths of several sources.
    const sources = ['a', 'b'].map((name) => ({
      configMap: { name, optional: true, items: [{ key: 'c', path: 'd' }] },
    }));
    await seen(await create({ volumes: [{ name: 'all', projected: { sources } }] }));
    await settleOnce();
    const ms = await read();
    expect(readiness(ms)).toEqual(['Ready=False Invalid', 'Stalled=True Invalid']);
    expect(ms.status?.conditions?.[0]?.message).toMatch(
      /conflicting duplicate paths.* - Deployment default\/.* - correct that field/s,
    );
    expect(ms.status?.children?.map(({ kind }) => kind)).toEqual(['PodDisruptionBudget', 'Service', 'ServiceAccount']);
  });

  it('does nothing about a Microservice that is gone', async () => {
    expect(await reconcile(key(), { cluster, clock, policy })).toEqual({ kind: 'settled' });
    expect(requests).toEqual([]);
  });
});
