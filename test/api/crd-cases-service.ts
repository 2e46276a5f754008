import type { Case, Spec } from './crd-case.ts';

const autoscaling = (change: Spec) => ({ autoscaling: { maxReplicas: 3, ...change } });
const metric = (change: Spec) => autoscaling({ metrics: [change] });
const sidecar = (change: Spec) => ({ initContainers: [{ name: 'a', image: 'b', restartPolicy: 'Always', ...change }] });
const service = (change: Spec) => ({ service: change });
const port = (change: Spec) => ({ ports: [{ name: 'http', containerPort: 8080, ...change }] });

const perPod = { type: 'AverageValue', averageValue: 30 };
const inAll = { type: 'Value', value: 30 };
const inPercent = { type: 'Utilization', averageUtilization: 70 };
const queue = { name: 'queue_length' };
const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' };
const pods = (change: Spec) => metric({ type: 'Pods', pods: { metric: queue, target: perPod, ...change } });
const external = (target: Spec) => metric({ type: 'External', external: { metric: queue, target } });
const object = (change: Spec) =>
  metric({ type: 'Object', object: { describedObject: ingress, metric: queue, target: inAll, ...change } });
const resource = (name: string, target: Spec) => metric({ type: 'Resource', resource: { name, target } });
const ofContainer = (target: Spec) =>
  metric({ type: 'ContainerResource', containerResource: { name: 'cpu', container: 'a', target } });

/** Each kind of metric whose series are chosen by their labels, with the question put into it. */
const questions: readonly (readonly [kind: string, spec: (expression: Spec) => Spec])[] = [
  ['pods', (expression) => pods({ metric: { ...queue, selector: { matchExpressions: [expression] } } })],
  ['an object', (expression) => object({ metric: { ...queue, selector: { matchExpressions: [expression] } } })],
  [
    'something outside',
    (expression) =>
      metric({
        type: 'External',
        external: { metric: { ...queue, selector: { matchExpressions: [expression] } }, target: inAll },
      }),
  ],
];

const scaling: readonly Case[] = [
  [
    'an empty list of metrics',
    autoscaling({ metrics: [] }),
    /no target: set autoscaling\.cpu, autoscaling\.memory, autoscaling\.requestsPerSecond or\s+autoscaling\.metrics, for/,
    pods({}),
  ],
  [
    'no requests a second',
    autoscaling({ requestsPerSecond: 0 }),
    /requestsPerSecond.*greater than or equal to 1/,
    autoscaling({ requestsPerSecond: 1 }),
  ],
  [
    'more requests a second than anybody counts',
    autoscaling({ requestsPerSecond: 1_000_001 }),
    /requestsPerSecond.*less than or equal to 1000000/,
    autoscaling({ requestsPerSecond: 1_000_000 }),
  ],
  [
    'a part of a request as a number',
    autoscaling({ requestsPerSecond: 0.5 }),
    /requestsPerSecond.*must be of type (integer|string)/,
    autoscaling({ requestsPerSecond: '500m' }),
  ],
  [
    'requests a second in bytes',
    autoscaling({ requestsPerSecond: '1Mi' }),
    /requestsPerSecond.*should match/,
    autoscaling({ requestsPerSecond: '1.5k' }),
  ],
  [
    'a cpu target with a sidecar that requests none',
    { ...autoscaling({ cpu: 70 }), ...sidecar({}) },
    /a sidecar has none: set\s+resources\.requests\.cpu of every entry of initContainers that has a restartPolicy/,
    { ...autoscaling({ cpu: 70 }), ...sidecar({ resources: { requests: { cpu: '10m' } } }) },
  ],
  [
    'a memory target with a sidecar that requests none',
    { ...autoscaling({ memory: 70 }), ...sidecar({}) },
    /a sidecar has none: set\s+resources\.requests\.memory of every entry/,
    { ...autoscaling({ memory: 70 }), ...sidecar({ resources: { limits: { memory: '10Mi' } } }) },
  ],
  [
    'a percentage of a request that is not there',
    { ...resource('cpu', inPercent), resources: {} },
    /a metric of type Resource is a percentage .* there is no such request: set it in resources\.requests/,
    { ...resource('cpu', perPod), resources: {} },
  ],
  [
    'a metric of one type with the field of another',
    metric({ type: 'Pods', external: { metric: queue, target: perPod } }),
    /a metric has the field of its type and no other: resource for Resource/,
    external(perPod),
  ],
  [
    'a metric of two types',
    metric({ type: 'Pods', pods: { metric: queue, target: perPod }, external: { metric: queue, target: perPod } }),
    /pods for Pods, object for Object, external for External/,
    pods({}),
  ],
  [
    'a percentage without a number',
    resource('cpu', { type: 'Utilization' }),
    /a target of a resource has averageUtilization for type Utilization/,
    resource('cpu', inPercent),
  ],
  [
    'a percentage that is an amount too',
    ofContainer({ ...inPercent, averageValue: 1 }),
    /and averageValue for type AverageValue; set the one, and remove the other/,
    ofContainer({ type: 'AverageValue', averageValue: '100m' }),
  ],
  [
    'an object that is to be counted for each pod, without saying how many',
    object({ target: { type: 'AverageValue', value: 1 } }),
    /a target has value for type Value, and averageValue for type AverageValue/,
    object({ target: perPod }),
  ],
  [
    'a target outside with both values',
    external({ ...inAll, averageValue: 1 }),
    /set the one, and remove the other/,
    external(inAll),
  ],
  [
    'a target of nothing',
    pods({ target: { type: 'AverageValue', averageValue: '0' } }),
    /averageValue.*should match/,
    pods({ target: { type: 'AverageValue', averageValue: '1' } }),
  ],
  ...questions.map(
    ([kind, spec]): Case => [
      `a label of ${kind} that is absent with a value`,
      spec({ key: 'a', operator: 'DoesNotExist', values: ['b'] }),
      /operators Exists and DoesNotExist take no values, the others need them/,
      spec({ key: 'a', operator: 'DoesNotExist' }),
    ],
  ),
];

const identity: readonly Case[] = [
  [
    'annotations of a ServiceAccount that is not made',
    { serviceAccount: { name: 'a', annotations: { b: '' } } },
    /are for the ServiceAccount that the operator makes: remove them, or remove\s+serviceAccount\.name/,
    { serviceAccount: { annotations: { b: '' } } },
  ],
  ...(['podAnnotations', 'service.annotations', 'serviceAccount.annotations'] as const).flatMap((path): Case[] => {
    const annotated = (key: string): Spec => {
      const [parent = '', field] = path.split('.');
      return { [parent]: field === undefined ? { [key]: 'a' } : { [field]: { [key]: 'a' } } };
    };
    return [
      [
        `a name with a space in ${path}`,
        annotated('a b'),
        /an annotation is named by letters, digits, '-', '_' and '\.', with a domain/,
        annotated('example.com/a_B.c'),
      ],
      [
        `an annotation that is the operator's in ${path}`,
        annotated('microservice-platform.io/desired-hash'),
        /annotations of microservice-platform\.io\/ and kubectl\.kubernetes\.io\/ are not yours to set; remove/,
        annotated('example.com/desired-hash'),
      ],
      [
        `an annotation that is kubectl's in ${path}`,
        annotated('kubectl.kubernetes.io/last-applied-configuration'),
        /are not yours to set; remove them/,
        annotated('prometheus.io/scrape'),
      ],
    ];
  }),
  [
    'a label of pods with a space',
    { podLabels: { team: 'our orders' } },
    /a label and its value take letters, digits, '-', '_' and '\.', and begin and end/,
    { podLabels: { team: 'our-orders' } },
  ],
  ...[
    'microservice-platform.io/microservice',
    'app.kubernetes.io/name',
    'app.kubernetes.io/managed-by',
    'pod-template-hash',
  ].map(
    (label): Case => [
      `${label} as a label of pods`,
      { podLabels: { [label]: 'a' } },
      /app\.kubernetes\.io\/name, app\.kubernetes\.io\/managed-by and pod-template-hash are\s+the operator's/,
      { podLabels: { 'app.kubernetes.io/part-of': 'a' } },
    ],
  ),
];

const lifecycle: readonly Case[] = [
  [
    'pods that are all taken down, and more of them meanwhile',
    { rollout: { type: 'Recreate', maxSurge: 1 } },
    /maxSurge and maxUnavailable mean nothing there: remove them, or\s+remove type/,
    { rollout: { type: 'Recreate' } },
  ],
  ...[{ maxSurge: 0 }, { maxSurge: '0%' }, { maxSurge: 0, maxUnavailable: '0%' }].map(
    (rollout): Case => [
      `no pod to be replaced: ${JSON.stringify(rollout)}`,
      { rollout },
      /with rollout\.maxSurge 0 and rollout\.maxUnavailable 0 .* no pod can be replaced: raise one/,
      { rollout: { ...rollout, maxUnavailable: '1%' } },
    ],
  ),
  ['more than all of them', { rollout: { maxSurge: '101%' } }, /should match/, { rollout: { maxSurge: '100%' } }],
  [
    'a number as text',
    { rollout: { maxUnavailable: '1' } },
    /maxUnavailable.*should match/,
    { rollout: { maxUnavailable: 1 } },
  ],
  [
    'pods that count when the rollout has failed',
    { rollout: { minReadySeconds: 300 } },
    /has to be less than rollout\.progressDeadlineSeconds \(300 where it is left out\): lower/,
    { rollout: { minReadySeconds: 300, progressDeadlineSeconds: 301 } },
  ],
  [
    'a process that is killed before it is asked',
    { shutdown: { drainSeconds: 30 } },
    /drainSeconds .* has to be less than shutdown\.gracePeriodSeconds .*lower the\s+first/,
    { shutdown: { drainSeconds: 30, gracePeriodSeconds: 31 } },
  ],
  [
    'less time than traffic needs to move away',
    { shutdown: { gracePeriodSeconds: 5 } },
    /or the process is killed without having been asked/,
    { shutdown: { gracePeriodSeconds: 5, drainSeconds: 0 } },
  ],
  [
    'nodes that can never be drained',
    { disruption: { maxUnavailable: 0 } },
    /greater than or equal to 1/,
    { disruption: { maxUnavailable: 1 } },
  ],
  [
    'nodes that can never be drained, in percent',
    { disruption: { maxUnavailable: '0%' } },
    /should match/,
    { disruption: { maxUnavailable: '1%' } },
  ],
];

const reachable: readonly Case[] = [
  [
    'a port of the nodes for a service inside the cluster',
    port({ nodePort: 30080 }),
    /a nodePort goes with service\.type NodePort or LoadBalancer only: set service\.type/,
    { ...port({ nodePort: 30080 }), ...service({ type: 'NodePort' }) },
  ],
  [
    'a port of the nodes below the range',
    { ...port({ nodePort: 29_999 }), ...service({ type: 'NodePort' }) },
    /greater than or equal to 30000/,
    { ...port({ nodePort: 30_000 }), ...service({ type: 'LoadBalancer' }) },
  ],
  [
    'a port of the nodes without an address',
    service({ headless: true, type: 'NodePort' }),
    /a headless Service has no address of its own.*remove headless, or type/,
    service({ headless: true, type: 'ClusterIP' }),
  ],
  [
    'a way in from outside for a service inside',
    service({ externalTrafficPolicy: 'Local' }),
    /externalTrafficPolicy goes with type NodePort or LoadBalancer only: set type/,
    service({ externalTrafficPolicy: 'Local', type: 'NodePort' }),
  ],
  ...[{ loadBalancerClass: 'a.b/c' }, { loadBalancerSourceRanges: ['10.0.0.0/8'] }].map(
    (change): Case => [
      `${Object.keys(change)[0]} without a load balancer`,
      service({ ...change, type: 'NodePort' }),
      /loadBalancerClass and service\.loadBalancerSourceRanges go with type LoadBalancer only/,
      service({ ...change, type: 'LoadBalancer' }),
    ],
  ),
  [
    'a range of addresses without its length',
    service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0'] }),
    /a range is an address and the length of its prefix/,
    service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/32'] }),
  ],
  [
    'how long, but not that',
    service({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } } }),
    /sessionAffinityConfig goes with sessionAffinity ClientIP only: set that/,
    service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } } }),
  ],
  [
    'a service outside the cluster',
    service({ type: 'ExternalName' }),
    /supported values: "ClusterIP", "NodePort", "LoadBalancer"/,
    service({ type: 'ClusterIP' }),
  ],
];

/** What concerns a service as a whole: how many pods, who they are, how they come and go, and who reaches them. */
export const serviceCases: readonly Case[] = [...scaling, ...identity, ...lifecycle, ...reachable];
