import { describe, expect, it } from 'vitest';
import { type Reason, reasons } from '../../../operator/src/api/conditions.ts';
import type {
  Autoscaling,
  Metric,
  Microservice,
  MicroserviceStatus,
} from '../../../operator/src/api/microservice.generated.ts';
import type { KubeObject } from '../../../operator/src/api/object.ts';
import { ClusterError, type ClusterErrorKind } from '../../../operator/src/cluster/errors.ts';
import { desiredChildren } from '../../../operator/src/desired/children.ts';
import type { ContentRef } from '../../../operator/src/desired/content.ts';
import { versionOf } from '../../../operator/src/desired/image.ts';
import type { ServiceType } from '../../../operator/src/desired/service.ts';
import type { Outcome } from '../../../operator/src/reconcile/apply.ts';
import { type Summary, summarise } from '../../../operator/src/reconcile/status.ts';
import { liveChildren, pod, rolledOut } from '../../support/live-objects.ts';
import { microservice } from '../../support/microservice.ts';

const now = new Date('2026-01-01T00:01:00Z');
const halfAMinute = new Date('2026-01-01T00:00:30Z');
const ref = { kind: 'Service', namespace: 'shop', name: 'orders' };

interface World {
  readonly ms?: Microservice;
  /** The status of the Deployment. */
  readonly rollout?: object;
  /** What is different about the Deployment otherwise. */
  readonly deployment?: object;
  /** The status of the autoscaler. */
  readonly scaling?: object;
  readonly pods?: readonly KubeObject[];
  readonly outcomes?: readonly Outcome[];
  readonly at?: Date;
  readonly missing?: readonly ContentRef[];
  readonly serviceTypes?: readonly ServiceType[];
}

function summaryOf(world: World): Summary {
  const { ms = microservice(), rollout, deployment, pods = [], outcomes = [], at = now, missing = [] } = world;
  const { serviceTypes = ['ClusterIP'], scaling } = world;
  const children = liveChildren(ms).map((child) => {
    if (child.kind === 'Deployment') return { ...child, ...deployment, status: rollout ?? {} };
    return child.kind === 'HorizontalPodAutoscaler' ? { ...child, status: scaling ?? {} } : child;
  });
  const given = { missing, serviceTypes, now: at };
  return summarise({ microservice: ms, children, pods }, desiredChildren(ms), outcomes, given);
}

/** What kstatus makes of a status: the rules that kubectl wait, Helm, Flux and Argo CD go by. */
function kstatus({ observedGeneration, conditions = [] }: MicroserviceStatus, generation = 1): string {
  if (observedGeneration !== generation) return 'InProgress';
  for (const { type, status } of conditions) {
    if (type === 'Reconciling' && status === 'True') return 'InProgress';
    if (type === 'Stalled' && status === 'True') return 'Failed';
  }
  return conditions.find(({ type }) => type === 'Ready')?.status === 'True' ? 'Current' : 'InProgress';
}

/** `Ready reason: kstatus`, after checking what holds for every status. */
function verdictOf(world: World): string {
  const { status } = summaryOf(world);
  const conditions = status.conditions ?? [];
  const types = conditions.map(({ type }) => type).filter((type) => type !== 'AutoscalingInactive');
  const [ready] = conditions;
  if (!ready) throw new Error('Ready has to be there always');
  expect(types[0]).toBe('Ready');
  expect(types.slice(1)).toEqual(
    ready.status === 'True' && types.length === 1 ? [] : [expect.stringMatching(/^(Reconciling|Stalled)$/)],
  );
  for (const { reason, message, observedGeneration, lastTransitionTime } of conditions) {
    expect(Object.keys(reasons)).toContain(reason);
    expect(message, 'what - where - do this').toMatch(/^.+ - \S+ shop\/\S+.* - .+$/s);
    expect(message.length).toBeLessThanOrEqual(1024);
    expect(observedGeneration).toBe(status.observedGeneration);
    expect(lastTransitionTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  }
  return `${ready.reason}: ${kstatus(status)}`;
}

const messageOf = (world: World) => summaryOf(world).status.conditions?.[0]?.message ?? '';

const waiting = (reason: string, message = '') => ({ state: { waiting: { reason, message } } });
const ended = (exitCode: number, more: object = {}) => ({ state: { terminated: { exitCode, ...more } } });
const backingOff = (exitCode: number, more: object = {}) => ({
  restartCount: 3,
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { exitCode, ...more } },
});
const running = (secondsAgo: number, more: object = {}) => ({
  state: { running: { startedAt: new Date(now.getTime() - secondsAgo * 1000).toISOString() } },
  ...more,
});
const deadline = {
  observedGeneration: 1,
  conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
};
const refusing = (message: string) => ({
  observedGeneration: 1,
  conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }],
});
const failed = (kind: ClusterErrorKind, message = `apply Service shop/orders: ${kind}: no`): Outcome => ({
  kind: 'failed',
  child: ref,
  error: new ClusterError(kind, message),
});
const notFound = 'rpc error: code = NotFound desc = failed to resolve image: ghcr.io/acme/orders:1.4.2: not found';

describe('readiness', () => {
  it('comes when every wanted pod is there, updated and available', () => {
    expect(verdictOf({ rollout: rolledOut(2) })).toBe('Available: Current');
  });

  it.for<[string, object]>([
    ['there is no status yet', {}],
    ['the status is of an earlier generation', { ...rolledOut(2), observedGeneration: 0 }],
    ['a pod is missing', { ...rolledOut(2), replicas: 1, updatedReplicas: 1, availableReplicas: 1 }],
    ['a pod is of the old version', { ...rolledOut(2), updatedReplicas: 1 }],
    ['a pod of the old version is still there', { ...rolledOut(2), replicas: 3 }],
    ['a pod is not available', { ...rolledOut(2), availableReplicas: 1 }],
  ])('does not come while %s', ([, rollout]) => {
    expect(verdictOf({ rollout })).toBe('Progressing: InProgress');
  });

  it('does not come in the pass that changes the Deployment, however good the old one looks', () => {
    const [deployment] = liveChildren(microservice());
    if (!deployment) throw new Error('there has to be a Deployment');
    const object = {
      ...deployment,
      metadata: { ...deployment.metadata, generation: 2 },
      status: rolledOut(2),
    };
    const outcomes: Outcome[] = [{ kind: 'configured', child: { ...ref, kind: 'Deployment' }, object }];
    expect(verdictOf({ rollout: rolledOut(2), outcomes })).toBe('Progressing: InProgress');
  });

  it('does not come while a child is awaited', () => {
    const outcomes: Outcome[] = [{ kind: 'waiting', child: ref, because: 'it is being deleted' }];
    expect(verdictOf({ rollout: rolledOut(2), outcomes })).toBe('Progressing: InProgress');
  });

  it('comes with no pods at all when none are asked for', () => {
    const ms = microservice({ spec: { replicas: 0 } });
    expect(verdictOf({ ms, rollout: { observedGeneration: 1 } })).toBe('ScaledToZero: Current');
  });

  it('comes with no pods at all when the service is suspended, autoscaler or not', () => {
    const ms = microservice({ spec: { suspend: true, autoscaling: { minReplicas: 3, maxReplicas: 5, cpu: 70 } } });
    expect(verdictOf({ ms, rollout: { observedGeneration: 1 } })).toBe('Suspended: Current');
    expect(summaryOf({ ms, rollout: { observedGeneration: 1 } }).status).toMatchObject({ pods: '0/0', scale: '0' });
    expect(verdictOf({ ms, rollout: { ...rolledOut(1) } })).toBe('Progressing: InProgress');
  });

  it('waits until the autoscaler has reached its minimum', () => {
    const ms = microservice({ spec: { autoscaling: { minReplicas: 3, maxReplicas: 5, cpu: 70 } } });
    const scaledTo = (replicas: number) =>
      verdictOf({ ms, deployment: { spec: { replicas } }, rollout: rolledOut(replicas) });
    expect(scaledTo(1)).toBe('Progressing: InProgress');
    expect(scaledTo(3)).toBe('Available: Current');
  });
});

describe('an autoscaler that moves the number of pods', () => {
  const autoscaling = { minReplicas: 2, maxReplicas: 5, cpu: 70 };
  const readySince = (observedGeneration: number) => [
    {
      type: 'Ready',
      status: 'True' as const,
      reason: 'Available',
      message: 'm',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration,
    },
  ];
  const served = microservice({
    spec: { autoscaling },
    status: { observedGeneration: 1, conditions: readySince(1) },
  });
  const asks = { ...liveChildren(served)[0], spec: { replicas: 4 } };
  const unseen = { ...asks, metadata: { ...liveChildren(served)[0]?.metadata, generation: 2 } };
  /** 4 are asked for, so many of them available. */
  const growing = (available: number, more: object = {}) => ({
    ...rolledOut(4),
    readyReplicas: available,
    availableReplicas: available,
    ...more,
  });
  const said = (world: World) =>
    summaryOf({ ms: served, deployment: asks, ...world }).status.conditions?.map(
      ({ type, status, reason }) => `${type}=${status} ${reason}`,
    );
  const serves = ['Ready=True Available', 'Reconciling=True Progressing'];
  const waits = ['Ready=False Progressing', 'Reconciling=True Progressing'];

  it('leaves it Ready while its minimum is available, and says that more are coming', () => {
    expect(said({ rollout: growing(2) })).toEqual(serves);
    expect(said({ rollout: { ...growing(2), replicas: 3, updatedReplicas: 3 } })).toEqual(serves);
    expect(said({ rollout: growing(4) })).toEqual(['Ready=True Available']);
    expect(summaryOf({ ms: served, deployment: asks, rollout: growing(2) }).status.pods).toBe('2/4');
    expect(verdictOf({ ms: served, deployment: asks, rollout: growing(2) })).toBe('Available: InProgress');
  });

  it('leaves it Ready in the moment before Kubernetes has seen the number', () => {
    expect(said({ deployment: unseen, rollout: rolledOut(2) })).toEqual(serves);
  });

  it.for<[string, World]>([
    ['the minimum is not available', { rollout: growing(1) }],
    ['a pod of the old version is still there', { rollout: growing(4, { updatedReplicas: 3 }) }],
    ['this version was never complete', { rollout: growing(3, { conditions: [] }) }],
    [
      'the spec changed and Kubernetes has not seen it',
      {
        ms: { ...served, metadata: { ...served.metadata, generation: 2 } },
        deployment: unseen,
        rollout: rolledOut(4),
      },
    ],
    [
      'the Deployment was written in this pass',
      {
        outcomes: [
          {
            kind: 'configured',
            child: { ...ref, kind: 'Deployment' },
            object: { ...unseen, status: rolledOut(4) } as KubeObject,
          },
        ],
        rollout: rolledOut(4),
      },
    ],
    [
      'no autoscaler is asked for',
      {
        ms: microservice({ spec: { replicas: 4 }, status: { observedGeneration: 1, conditions: readySince(1) } }),
        rollout: growing(3),
      },
    ],
  ])('does not make it Ready while %s', ([, world]) => {
    expect(said(world)).toEqual(waits);
  });

  it('names what keeps the pods that are asked for on top', () => {
    const pods = [pod('orders-d', backingOff(1))];
    expect(said({ rollout: growing(3), pods })).toEqual(['Ready=True Available', 'Reconciling=True CrashLoop']);
    expect(said({ rollout: growing(1), pods })).toEqual(['Ready=False CrashLoop', 'Reconciling=True CrashLoop']);
  });
});

describe('an autoscaler that lacks figures', () => {
  const scaledBy = (targets: object) =>
    microservice({ spec: { autoscaling: { minReplicas: 2, maxReplicas: 5, ...targets } } });
  const byRequests = scaledBy({ cpu: 70, requestsPerSecond: 100 });
  /** It has said so for a minute and a half, the longest that it is given. */
  const lacking = (reason: string, more: object = {}) => ({
    conditions: [
      { type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale' },
      { type: 'ScalingActive', status: 'False', reason, lastTransitionTime: '2025-12-31T23:59:30Z', ...more },
    ],
  });
  const inactive = (world: World) =>
    summaryOf({ rollout: rolledOut(2), deployment: { spec: { replicas: 2 } }, ...world }).status.conditions?.find(
      ({ type }) => type === 'AutoscalingInactive',
    );

  it.for<[string, Reason, object, string]>([
    ['the requests', 'RequestRateMissing', { requestsPerSecond: 100 }, 'FailedGetPodsMetric'],
    ['the cpu', 'MetricsMissing', { cpu: 70, requestsPerSecond: 100 }, 'FailedGetResourceMetric'],
    ['a metric of somebody else', 'MetricsMissing', { cpu: 70 }, 'FailedGetPodsMetric'],
  ])('without %s is told in a condition of its own, as %s, and the service is Ready', ([, reason, targets, said]) => {
    const world = { ms: scaledBy(targets), scaling: lacking(said), rollout: rolledOut(2) };
    expect(inactive(world)).toMatchObject({
      status: 'True',
      reason,
      message: expect.stringMatching(
        /^.+ - HorizontalPodAutoscaler shop\/orders - .+kubectl describe hpa -n shop orders/,
      ),
    });
    expect(verdictOf({ ...world, deployment: { spec: { replicas: 2 } } })).toBe('Available: Current');
  });

  it('for the requests says what to install', () => {
    expect(inactive({ ms: byRequests, scaling: lacking('FailedGetPodsMetric') })?.message).toContain(
      'customMetrics.enabled=true',
    );
  });

  it('says the same whatever words the autoscaler has for it, so that nothing is written', () => {
    const said = (message: string) =>
      summaryOf({ ms: byRequests, scaling: lacking('FailedGetPodsMetric', { message }) }).status;
    expect(said('dial tcp 10.0.0.7:443')).toEqual(said('dial tcp 10.0.0.8:443'));
  });

  it('is given a minute and a half, and looked at again then', () => {
    const scaling = lacking('FailedGetPodsMetric', { lastTransitionTime: '2025-12-31T23:59:40Z' });
    expect(inactive({ ms: byRequests, scaling })).toBeUndefined();
    expect(summaryOf({ ms: byRequests, rollout: rolledOut(2), scaling }).lookAgainMs).toBe(10_000);
  });

  it('is told beside a service that is not Ready, too', () => {
    const { conditions } = summaryOf({ ms: byRequests, scaling: lacking('FailedGetPodsMetric') }).status;
    expect(conditions?.map(({ type }) => type)).toEqual(['Ready', 'Reconciling', 'AutoscalingInactive']);
  });

  it.for<[string, World]>([
    ['it has all of them', { ms: byRequests, scaling: lacking('ValidMetricFound', { status: 'True' }) }],
    ['it has not looked yet', { ms: byRequests }],
    ['there are no pods to scale', { ms: byRequests, scaling: lacking('ScalingDisabled') }],
    [
      'the service is switched off',
      {
        ms: microservice({ spec: { suspend: true, autoscaling: { maxReplicas: 5, cpu: 70 } } }),
        scaling: lacking('FailedGetResourceMetric'),
      },
    ],
  ])('is no news where %s', ([, world]) => {
    expect(inactive(world)).toBeUndefined();
    expect(summaryOf(world).lookAgainMs).toBeUndefined();
  });
});

/** A Microservice with a container that migrates and a sidecar. */
const withInits = microservice({
  spec: {
    initContainers: [
      { name: 'migrate', image: 'm:1' },
      { name: 'proxy', image: 'p:1', restartPolicy: 'Always', probes: { readiness: { tcpSocket: { port: 15021 } } } },
    ],
  },
});
const inits = (...initContainerStatuses: readonly object[]) => ({
  status: { initContainerStatuses: initContainerStatuses.map((it) => ({ ready: false, ...it })) },
});
const onNode = (secondsAgo: number, readyToStart: 'False' | 'True') => ({
  status: {
    conditions: [
      {
        type: 'PodScheduled',
        status: 'True',
        lastTransitionTime: new Date(now.getTime() - secondsAgo * 1000).toISOString(),
      },
      { type: 'PodReadyToStartContainers', status: readyToStart },
    ],
  },
});

describe('containers before the service', () => {
  const starting = waiting('PodInitializing');
  const said = (ms: Microservice, ...pods: readonly KubeObject[]) => summaryOf({ ms, pods }).status.conditions?.[0];

  it('say nothing once they have ended well', () => {
    const pods = pod('orders-a', starting, inits({ name: 'migrate', ...ended(0) }));
    expect(said(withInits, pods)?.reason).toBe('Progressing');
  });

  it('are named when they end badly', () => {
    const pods = pod('orders-a', starting, inits({ name: 'migrate', ...ended(3, { message: 'no such table' }) }));
    expect(said(withInits, pods)).toMatchObject({
      reason: 'CrashLoop',
      message: expect.stringMatching(/^the process ended with exit code 3: no such table - pod .*, container migrate/),
    });
  });

  it('are named when they do not end, after half a minute', () => {
    const at = (seconds: number) => pod('orders-a', starting, inits({ name: 'migrate', ...running(seconds) }));
    expect(said(withInits, at(20))?.reason).toBe('Progressing');
    expect(said(withInits, at(40))).toMatchObject({
      reason: 'InitRunning',
      message: expect.stringContaining('container migrate'),
    });
  });

  it('are asked by their own probes when they are sidecars', () => {
    const pods = pod('orders-a', {}, inits({ name: 'proxy', started: true, ...running(60) }));
    expect(said(withInits, pods)).toMatchObject({
      reason: 'ProbeFailing',
      message: expect.stringMatching(/readiness probe \(TCP connection to port 15021\) - pod .*, container proxy/),
    });
  });
});

describe('what is wrong', () => {
  it.for<[string, World, `${Reason}: InProgress` | `${Reason}: Failed`, RegExp]>([
    [
      'a child of somebody else',
      { outcomes: [{ kind: 'refused', child: ref, because: 'it is foreign' }] },
      'Conflict: Failed',
      /a Service of this name that belongs to somebody else.* - Service shop\/orders - delete it .* or give/,
    ],
    [
      'a child that the API server refuses',
      { outcomes: [failed('invalid')] },
      'Invalid: Failed',
      /correct that field in spec$/,
    ],
    ['a right that is missing', { outcomes: [failed('denied')] }, 'Denied: Failed', /check the rights of the operator/],
    [
      'a quota on children',
      { outcomes: [failed('denied', 'create Service shop/orders: denied: exceeded quota: q')] },
      'QuotaExceeded: InProgress',
      /exceeded quota: q - Service shop\/orders - lower/,
    ],
    ['a write that failed', { outcomes: [failed('unavailable')] }, 'WriteFailed: InProgress', /tried again/],
    ['a namespace that is going', { outcomes: [failed('gone')] }, 'WriteFailed: InProgress', /tried again/],
    [
      'a fault that somebody has to mend, before one that passes',
      { outcomes: [failed('unavailable'), failed('invalid')] },
      'Invalid: Failed',
      /invalid/,
    ],
    [
      'a quota on pods',
      { rollout: refusing('pods "orders-7f-x2x9k" is forbidden: exceeded quota: q, requested: pods=1') },
      'QuotaExceeded: InProgress',
      /^no pods can be created: exceeded quota: q, requested: pods=1 - Deployment shop\/orders - lower/,
    ],
    [
      'pods that are refused',
      { rollout: refusing('pods "orders-7f-x2x9k" is forbidden: violates PodSecurity "restricted:latest"') },
      'PodsRefused: InProgress',
      /^no pods can be created: violates PodSecurity.* - check the namespace/,
    ],
    [
      'a type of Service that is not allowed, however well the pods run',
      {
        ms: microservice({ spec: { service: { type: 'LoadBalancer' } } }),
        rollout: rolledOut(2),
        serviceTypes: ['ClusterIP', 'NodePort'],
      },
      'NotAllowed: Failed',
      /service\.type LoadBalancer is not allowed .* - Microservice shop\/orders - remove service\.type, or have/,
    ],
    [
      'content that is missing, before the pods tell',
      { missing: [{ kind: 'ConfigMap', name: 'routes', keys: ['a.yaml'], optional: false }] },
      'ConfigMapMissing: InProgress',
      /^the pods need a ConfigMap with the key a\.yaml, and it is not there - ConfigMap shop\/routes - create it/,
    ],
    [
      'volumes that do not come',
      {
        ms: microservice({ spec: { volumes: [{ name: 'v', secret: { secretName: 'tls' } }] } }),
        pods: [pod('orders-a', waiting('ContainerCreating'), onNode(15, 'False'))],
      },
      'VolumesPending: InProgress',
      /^the pod waits for its volumes .*; it needs Secret tls - pod shop\/orders-a - check that they exist/,
    ],
    [
      'volumes that may be about to come',
      { pods: [pod('orders-a', waiting('ContainerCreating'), onNode(5, 'False'))] },
      'Progressing: InProgress',
      /waiting for the pods/,
    ],
    [
      'a large image on its way, with volumes and network in place',
      { pods: [pod('orders-a', waiting('ContainerCreating'), onNode(60, 'True'))] },
      'Progressing: InProgress',
      /waiting for the pods/,
    ],
    [
      'an image that does not exist',
      { pods: [pod('orders-a', waiting('ErrImagePull', notFound))], at: halfAMinute },
      'ImagePullFailed: Failed',
      /^image ghcr\.io\/acme\/orders:1\.4\.2 was not found in its registry - pod shop\/orders-a, container orders - check name and tag in spec\.image$/,
    ],
    [
      'an image name that makes no sense',
      {
        pods: [pod('orders-a', waiting('InvalidImageName', 'couldn\'t parse image name "A"'))],
        at: halfAMinute,
      },
      'ImagePullFailed: Failed',
      /not a valid image reference.*correct spec\.image/,
    ],
    [
      'an image that may not be pulled',
      {
        pods: [
          pod('orders-a', waiting('ImagePullBackOff', 'Back-off pulling image "x": ErrImagePull: pull access denied')),
        ],
        at: halfAMinute,
      },
      'ImagePullFailed: Failed',
      /may not be pulled.*rights of the nodes/,
    ],
    [
      'a registry that cannot be reached, for less than a minute',
      {
        pods: [pod('orders-a', waiting('ErrImagePull', 'dial tcp: lookup ghcr.io: no such host'))],
        at: halfAMinute,
      },
      'ImagePullFailed: InProgress',
      /its registry cannot be reached.*network and DNS/,
    ],
    [
      'a registry that cannot be reached, for a minute',
      { pods: [pod('orders-a', waiting('ErrImagePull', 'dial tcp: lookup ghcr.io: no such host'))] },
      'ImagePullFailed: Failed',
      /its registry cannot be reached/,
    ],
    [
      'a Secret that is missing',
      { pods: [pod('orders-a', waiting('CreateContainerConfigError', 'secret "orders-db" not found'))] },
      'SecretMissing: InProgress',
      /^secret "orders-db" not found - pod .* - create the Secret or the key in it/,
    ],
    [
      'a key of a Secret that is missing',
      {
        pods: [
          pod('orders-a', waiting('CreateContainerConfigError', "couldn't find key password in Secret shop/orders-db")),
        ],
      },
      'SecretMissing: InProgress',
      /key password in Secret shop\/orders-db/,
    ],
    [
      'a ConfigMap that is missing',
      { pods: [pod('orders-a', waiting('CreateContainerConfigError', 'configmap "orders" not found'))] },
      'ConfigMapMissing: InProgress',
      /create the ConfigMap/,
    ],
    [
      'an image that runs as root',
      {
        pods: [
          pod(
            'orders-a',
            waiting('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root (pod: "x")'),
          ),
        ],
      },
      'ContainerFailed: Failed',
      /give the image a USER with a number other than 0/,
    ],
    [
      'a command that does not exist',
      {
        pods: [
          pod(
            'orders-a',
            ended(128, {
              reason: 'StartError',
              message: 'runc: exec: "nope": executable file not found in $PATH: unknown',
            }),
          ),
        ],
      },
      'ContainerFailed: InProgress',
      /cannot be started: exec: "nope": executable file not found in \$PATH - .* - check command and args/,
    ],
    [
      'a process that ends, with its last words',
      { pods: [pod('orders-a', backingOff(1, { reason: 'Error', message: 'a\nError: no database\n' }))] },
      'CrashLoop: InProgress',
      /^the process ended with exit code 1: Error: no database - .* - see `kubectl logs orders-a -n shop -c orders --previous`$/,
    ],
    [
      'a process that ends at once',
      { pods: [pod('orders-a', ended(0))] },
      'CrashLoop: InProgress',
      /has to keep running/,
    ],
    [
      'a process that is killed',
      { pods: [pod('orders-a', backingOff(137))] },
      'CrashLoop: InProgress',
      /check its liveness probe/,
    ],
    [
      'a process that crashed a moment ago and runs again',
      {
        pods: [pod('orders-a', { ...running(5), restartCount: 1, lastState: { terminated: { exitCode: 1 } } })],
      },
      'CrashLoop: InProgress',
      /exit code 1/,
    ],
    [
      'a container that needs more memory than it may have',
      { pods: [pod('orders-a', backingOff(137, { reason: 'OOMKilled' }))] },
      'OutOfMemory: InProgress',
      /raise resources\.limits\.memory/,
    ],
    [
      'a pod that fits on no node',
      {
        pods: [
          pod(
            'orders-a',
            {},
            {
              status: {
                containerStatuses: [],
                conditions: [
                  {
                    type: 'PodScheduled',
                    status: 'False',
                    reason: 'Unschedulable',
                    message: '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available.',
                  },
                ],
              },
            },
          ),
        ],
      },
      'Unschedulable: InProgress',
      /^no node can take the pod: 0\/1 nodes are available: 1 Insufficient cpu\. - pod shop\/orders-a - lower resources\.requests/,
    ],
    [
      'a readiness probe that fails',
      { pods: [pod('orders-a', running(40, { started: true }))] },
      'ProbeFailing: InProgress',
      /does not pass its readiness probe \(TCP connection to port http\)/,
    ],
    [
      'a startup probe that fails',
      { pods: [pod('orders-a', running(40, { started: false }))] },
      'ProbeFailing: InProgress',
      /does not pass its startup probe/,
    ],
    [
      'a pod that was ready and is not any more',
      {
        pods: [
          pod('orders-a', running(20, { started: true }), {
            status: {
              containerStatuses: [{ name: 'orders', ready: false, started: true, ...running(20) }],
              conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:58Z' }],
            },
          }),
        ],
      },
      'ProbeFailing: InProgress',
      /readiness probe/,
    ],
    ['a rollout without progress', { rollout: deadline }, 'DeadlineExceeded: Failed', /no progress for 300 s/],
    [
      'a rollout without progress of which the cause is known',
      { rollout: deadline, pods: [pod('orders-a', backingOff(1))] },
      'CrashLoop: Failed',
      /exit code 1/,
    ],
  ])('is told of %s', ([, world, verdict, message]) => {
    expect(verdictOf(world)).toBe(verdict);
    expect(messageOf(world)).toMatch(message);
  });

  it.for<[string, KubeObject]>([
    ['is being created', pod('orders-a', waiting('ContainerCreating'))],
    ['came up a moment ago', pod('orders-a', running(3, { started: false }))],
    ['is going', pod('orders-a', backingOff(1), { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    [
      'was evicted',
      pod('orders-a', ended(137), {
        status: { phase: 'Failed', containerStatuses: [{ name: 'orders', ...ended(137) }] },
      }),
    ],
  ])('is not a pod that %s', ([, it]) => {
    expect(verdictOf({ pods: [it] })).toBe('Progressing: InProgress');
  });

  it('is not asked about while all is well', () => {
    expect(verdictOf({ rollout: rolledOut(2), pods: [pod('orders-a', backingOff(1))] })).toBe('Available: Current');
  });

  it('is the cause that hides the others, whatever the order of the pods', () => {
    const pods = [
      pod('orders-a', running(40)),
      pod('orders-b', waiting('CreateContainerConfigError', 'secret "s" not found')),
      pod('orders-c', waiting('ErrImagePull', notFound)),
    ];
    const messages = [pods, pods.toReversed()].map((order) => messageOf({ pods: order }));
    expect(messages[0]).toMatch(/^image .* pod shop\/orders-c/);
    expect(messages[1]).toBe(messages[0]);
  });

  it('is told in the same words while kubelet goes on trying, so that nothing is written', () => {
    const [first, second] = [
      waiting('ErrImagePull', notFound),
      waiting('ImagePullBackOff', `Back-off pulling image "ghcr.io/acme/orders:1.4.2": ErrImagePull: ${notFound}`),
    ].map((container) => messageOf({ pods: [pod('orders-a', container)] }));
    expect(second).toBe(first);
    const [crashed, again] = [backingOff(1), { ...backingOff(1), restartCount: 9 }].map((container) =>
      messageOf({ pods: [pod('orders-a', container)] }),
    );
    expect(again).toBe(crashed);
  });
});

describe('time', () => {
  const brokenSince = (lastTransitionTime: string) =>
    microservice({
      status: {
        observedGeneration: 1,
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'CrashLoop',
            message: '',
            lastTransitionTime,
            observedGeneration: 1,
          },
        ],
      },
    });
  const finished = { ...rolledOut(2), availableReplicas: 1 };
  const pods = [pod('orders-a', backingOff(1))];

  it('makes trouble after a finished rollout last when it goes on for as long as a rollout may take', () => {
    const verdictAfter = (seconds: number) => {
      const ms = brokenSince('2026-01-01T00:00:00Z');
      return verdictOf({ ms, rollout: finished, pods, at: new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)) });
    };
    expect(verdictAfter(299)).toBe('CrashLoop: InProgress');
    expect(verdictAfter(300)).toBe('CrashLoop: Failed');
  });

  it('is asked for again when it will tell something', () => {
    const wait = (world: World) => {
      const { verdict } = summaryOf(world);
      return verdict.kind === 'ready' ? undefined : verdict.lookAgainMs;
    };
    expect(wait({ ms: brokenSince('2026-01-01T00:00:00Z'), rollout: finished, pods })).toBe(240_000);
    expect(wait({ pods: [pod('orders-a', running(10, { started: false }))] })).toBe(20_000);
    const unreachable = pod('orders-a', waiting('ErrImagePull', 'dial tcp: i/o timeout'));
    expect(wait({ pods: [unreachable], at: new Date('2026-01-01T00:00:40Z') })).toBe(20_000);
    expect(wait({ rollout: rolledOut(2) })).toBeUndefined();
  });
});

describe('the status', () => {
  it('says what runs, where, and how many', () => {
    const ms = microservice({
      spec: { autoscaling: { minReplicas: 2, maxReplicas: 5, cpu: 70, memory: 80 } },
    });
    const deployment = liveChildren(ms)[0];
    const spec = { ...(deployment?.spec as object), replicas: 2 };
    expect(summaryOf({ ms, deployment: { spec }, rollout: rolledOut(2) }).status).toEqual({
      observedGeneration: 1,
      conditions: [expect.objectContaining({ type: 'Ready', status: 'True' })],
      replicas: 2,
      readyReplicas: 2,
      pods: '2/2',
      selector: 'microservice-platform.io/microservice=orders',
      scale: '2-5 @ cpu 70%, memory 80%',
      image: 'ghcr.io/acme/orders:1.4.2',
      version: '1.4.2',
      url: 'http://orders.shop.svc:80',
      children: [
        { kind: 'Deployment', name: 'orders' },
        { kind: 'HorizontalPodAutoscaler', name: 'orders' },
        { kind: 'PodDisruptionBudget', name: 'orders' },
        { kind: 'Service', name: 'orders' },
        { kind: 'ServiceAccount', name: 'orders' },
      ],
    });
  });

  it('names every target of the autoscaler, at its longest within what the schema allows', () => {
    const spec = (autoscaling: Autoscaling) => microservice({ spec: { autoscaling } });
    const scaleOf = (ms: Microservice) => summaryOf({ ms }).status.scale;
    expect(scaleOf(spec({ minReplicas: 2, maxReplicas: 10, cpu: 70, requestsPerSecond: 100 }))).toBe(
      '2-10 @ cpu 70%, 100 req/s',
    );
    expect(scaleOf(spec({ maxReplicas: 3, requestsPerSecond: '500m' }))).toBe('1-3 @ 500m req/s');
    const metric = { type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: 1 } } };
    const longest = spec({
      ...{ minReplicas: 1000, maxReplicas: 1000, cpu: 1000, memory: 1000 },
      requestsPerSecond: '1000000000000.1m',
      metrics: Array.from({ length: 16 }, () => metric as Metric),
    });
    expect(scaleOf(longest)?.length).toBeLessThanOrEqual(96);
  });

  it('goes on naming the image that runs while another one is rolled out', () => {
    const ms = microservice({
      spec: { image: 'a:2' },
      status: { observedGeneration: 1, image: 'a:1', version: '1' },
    });
    expect(summaryOf({ ms }).status).toMatchObject({ image: 'a:1', version: '1' });
    expect(summaryOf({ ms, rollout: rolledOut(2) }).status).toMatchObject({ image: 'a:2', version: '2' });
  });

  it('keeps the time of a condition until its status changes', () => {
    const before = summaryOf({});
    const ms = microservice({ metadata: { generation: 2 }, status: before.status });
    const later = new Date('2026-01-01T00:05:00Z');
    const times = (world: World) => summaryOf(world).status.conditions?.map((it) => it.lastTransitionTime);
    expect(times({ ms, at: later })).toEqual(['2026-01-01T00:01:00Z', '2026-01-01T00:01:00Z']);
    expect(times({ ms, at: later, rollout: rolledOut(2) })).toEqual(['2026-01-01T00:05:00Z']);
  });

  it.for([
    ['a/b:1.4.2', '1.4.2'],
    ['localhost:5000/a', 'latest'],
    ['localhost:5000/a:2', '2'],
    ['a@sha256:0123456789abcdef', 'sha256:0123456789ab'],
    ['a:3@sha256:0123456789abcdef', '3'],
  ])('takes %s for version %s', ([image, version]) => {
    expect(versionOf(image as string)).toBe(version);
  });
});
