import type { Case, Spec } from './crd-case.ts';

/** A place in the spec, as a spec that has the value there. */
type Place = readonly [name: string, spec: (value: string) => Spec];

const env = (source: Spec) => ({ env: [{ name: 'A', valueFrom: source }] });
const volume = (kind: Spec) => ({ volumes: [{ name: 'a', ...kind }] });
const projected = (source: Spec) => volume({ projected: { sources: [source] } });
const affinity = (term: Spec) => ({
  scheduling: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
});
const nodes = (expression: Spec) => {
  const nodeSelectorTerms = [{ matchExpressions: [expression] }];
  return {
    scheduling: {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    },
  };
};
const pods = (metric: Spec) => {
  const target = { type: 'AverageValue', averageValue: 30 };
  return { autoscaling: { maxReplicas: 3, metrics: [{ type: 'Pods', pods: { metric, target } }] } };
};
const ofObject = (describedObject: Spec) => {
  const object = {
    describedObject: { apiVersion: 'v1', kind: 'Service', name: 'a', ...describedObject },
    metric: { name: 'a' },
    target: { type: 'Value', value: 1 },
  };
  return { autoscaling: { maxReplicas: 3, metrics: [{ type: 'Object', object }] } };
};
const claim = (spec: Spec) =>
  volume({ ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '1Gi' } }, ...spec } } } });
const balanced = (service: Spec) => ({ service: { type: 'LoadBalancer', ...service } });
const resources = (change: Spec) => ({ resources: change });

const names: readonly Place[] = [
  ['the ConfigMap of a variable', (name) => env({ configMapKeyRef: { name, key: 'a' } })],
  ['the Secret of a variable', (name) => env({ secretKeyRef: { name, key: 'a' } })],
  ['the ConfigMap of variables', (name) => ({ envFrom: [{ configMapRef: { name } }] })],
  ['the Secret of variables', (name) => ({ envFrom: [{ secretRef: { name } }] })],
  ['the ConfigMap of files', (name) => volume({ configMap: { name } })],
  ['the Secret of files', (name) => volume({ secret: { secretName: name } })],
  ['the ConfigMap among sources', (name) => projected({ configMap: { name } })],
  ['the Secret among sources', (name) => projected({ secret: { name } })],
  ['a claim', (claimName) => volume({ persistentVolumeClaim: { claimName } })],
  ['a storage class', (storageClassName) => claim({ storageClassName })],
  ['a ServiceAccount', (name) => ({ serviceAccount: { name } })],
  ['the credentials of a registry', (name) => ({ imagePullSecrets: [{ name }] })],
  ['a priority class', (priorityClassName) => ({ scheduling: { priorityClassName } })],
  ['an object with a metric', (name) => ofObject({ name })],
  ['an address', (name) => ({ hostAliases: [{ ip: '10.0.0.7', hostnames: [name] }] })],
];

const keys: readonly Place[] = [
  [
    'a label that is asked about',
    (key) => affinity({ labelSelector: { matchLabels: { [key]: '' } }, topologyKey: 'a' }),
  ],
  [
    'a label in a question',
    (key) => affinity({ labelSelector: { matchExpressions: [{ key, operator: 'Exists' }] }, topologyKey: 'a' }),
  ],
  ['a label of series', (key) => pods({ name: 'a', selector: { matchLabels: { [key]: '' } } })],
  ['a label of nodes', (key) => nodes({ key, operator: 'Exists' })],
  ['a place for neighbours', (topologyKey) => affinity({ labelSelector: {}, topologyKey })],
  [
    'a place to spread over',
    (topologyKey) => ({
      scheduling: { topologySpreadConstraints: [{ topologyKey, whenUnsatisfiable: 'ScheduleAnyway' }] },
    }),
  ],
  ['a label of the nodes that are wanted', (key) => ({ scheduling: { nodeSelector: { [key]: '' } } })],
  ['a taint', (key) => ({ scheduling: { tolerations: [{ key, operator: 'Exists' }] } })],
  ['a label of pods', (key) => ({ podLabels: { [key]: '' } })],
  ['an annotation of pods', (key) => ({ podAnnotations: { [key]: '' } })],
  ['an annotation of the Service', (key) => ({ service: { annotations: { [key]: '' } } })],
  ['an annotation of the ServiceAccount', (key) => ({ serviceAccount: { annotations: { [key]: '' } } })],
  ['a class of load balancers', (loadBalancerClass) => balanced({ loadBalancerClass })],
  ['a protocol', (appProtocol) => ({ ports: [{ name: 'http', containerPort: 1, appProtocol }] })],
];

const fields: readonly Place[] = [
  ['a variable', (key) => env({ fieldRef: { fieldPath: `metadata.labels['${key}']` } })],
  [
    'a file',
    (key) => volume({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: `metadata.labels['${key}']` } }] } }),
  ],
];

const paths: readonly Place[] = [
  ['a key of a ConfigMap', (path) => volume({ configMap: { name: 'a', items: [{ key: 'a', path }] } })],
  ['a key of a Secret', (path) => projected({ secret: { name: 'a', items: [{ key: 'a', path }] } })],
  ['a token', (path) => projected({ serviceAccountToken: { path } })],
  [
    'a part of a volume',
    (subPath) => ({ ...volume({ emptyDir: {} }), volumeMounts: [{ name: 'a', mountPath: '/a', subPath }] }),
  ],
  [
    'a filter of system calls',
    (localhostProfile) => ({ podSecurityContext: { seccompProfile: { type: 'Localhost', localhostProfile } } }),
  ],
];

/** Each bad value at each place; the good one is taken there. */
const everywhere = (places: readonly Place[], what: string, bad: readonly string[], remedy: RegExp, good: string) =>
  places.flatMap(([place, spec]) =>
    bad.map((value): Case => [`${what} of ${place} that is ${value.slice(0, 20)}`, spec(value), remedy, spec(good)]),
  );

const search = (domain: string) => ({ dnsConfig: { searches: [domain] } });
const reserved = [
  'kubernetes.io/config.mirror',
  'seccomp.security.alpha.kubernetes.io/pod',
  'container.apparmor.security.beta.kubernetes.io/orders',
  'controller.kubernetes.io/pod-deletion-cost',
];

/** Values that the API server would refuse later in what is made of them, and that are refused at once instead. */
export const formatCases: readonly Case[] = [
  ...everywhere(names, 'the name', ['a..b', 'a.-b', 'A'], /begins and ends with a letter or a digit/, 'a.b-c'),
  ...everywhere(
    keys,
    'the name',
    ['a..b/c', '-a/b', `${'a'.repeat(254)}/b`, 'a'.repeat(64), 'a b'],
    /with a\s+domain before a '\/'/,
    `${'a'.repeat(240)}.${'b'.repeat(12)}/${'C'.repeat(63)}`,
  ),
  ...everywhere(fields, 'the label', ['a..b/c', 'a b', ''], /fieldPath/, 'a.b/c'),
  ...everywhere(paths, 'the path', ['/a', 'a/../b', '..', '..a'], /should match/, '.a/b..c'),
  ...['.', '..', '..a'].map(
    (key): Case => [
      `the key ${key}`,
      env({ secretKeyRef: { name: 'a', key } }),
      /key.*should match/,
      env({ secretKeyRef: { name: 'a', key: '.a' } }),
    ],
  ),
  ...['1.2', '010.0.0.1', '::ffff:1.2.3.4', 'dns.example'].flatMap((ip): Case[] => [
    [
      `a name server at ${ip}`,
      { dnsConfig: { nameservers: [ip] } },
      /an IPv4 or IPv6 address without leading zeros/,
      { dnsConfig: { nameservers: ['fd00::53'] } },
    ],
    [
      `a host at ${ip}`,
      { hostAliases: [{ ip, hostnames: ['a'] }] },
      /an IPv4 or IPv6 address without leading zeros/,
      { hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] },
    ],
  ]),
  ...['1.2/3', '1.2.3.4/33', '10.0.0.1/8', '010.0.0.0/8'].map(
    (range): Case => [
      `the range ${range}`,
      balanced({ loadBalancerSourceRanges: [range] }),
      /with zeros behind the prefix, for example 10\.0\.0\.0\/8/,
      balanced({ loadBalancerSourceRanges: ['fd00::/8'] }),
    ],
  ),
  ...['a..b', 'Acme.Example', '-a'].map(
    (domain): Case => [`the search domain ${domain}`, search(domain), /searches\[0\].*should match/, search('_tcp.a.')],
  ),
  [
    'too many search domains',
    { dnsConfig: { searches: Array.from({ length: 32 }, (_, index) => `${index}.${'a'.repeat(63)}`) } },
    /search domains are more than 2048 characters together: remove some/,
    { dnsConfig: { searches: Array.from({ length: 32 }, (_, index) => `${index}.${'a'.repeat(50)}`) } },
  ],
  [
    'a volume of one pod for many',
    claim({ accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] }),
    /ReadWriteOncePod goes with no other access mode: keep one/,
    claim({ accessModes: ['ReadOnlyMany', 'ReadWriteOnce'] }),
  ],
  [
    'two ports of one port of the nodes',
    {
      service: { type: 'NodePort' },
      ports: [
        { name: 'a', containerPort: 1, nodePort: 30_001 },
        { name: 'b', containerPort: 2, nodePort: 30_001 },
      ],
    },
    /two ports have the same nodePort: change one of them/,
    {
      service: { type: 'NodePort' },
      ports: [
        { name: 'a', containerPort: 1, nodePort: 30_001 },
        { name: 'b', containerPort: 2, nodePort: 30_002 },
      ],
    },
  ],
  ...[['4', '8'], ['four'], []].map(
    (values): Case => [
      `nodes with more than ${JSON.stringify(values)}`,
      nodes({ key: 'a', operator: 'Gt', values }),
      /Gt and Lt compare with one whole number: give one value/,
      nodes({ key: 'a', operator: 'Gt', values: ['4'] }),
    ],
  ),
  [
    'an extended resource without a limit',
    resources({ requests: { 'example.com/gpu': 1 } }),
    /an extended resource is not shared: give it in resources\.limits/,
    resources({ limits: { 'example.com/gpu': 1 } }),
  ],
  [
    'more of an extended resource than is asked for',
    resources({ requests: { 'example.com/gpu': 1 }, limits: { 'example.com/gpu': 2 } }),
    /in resources\.requests the same amount or\s+nothing/,
    resources({ requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': 1 } }),
  ],
  [
    'half of an extended resource',
    resources({ limits: { 'example.com/gpu': '500m' } }),
    /an extended resource is a whole number: use one/,
    resources({ limits: { 'example.com/gpu': '1k' } }),
  ],
  ...['a..b/c', 'kubernetes.io/gpu', 'requests.a.com/gpu'].map(
    (name): Case => [
      `the resource ${name}`,
      resources({ limits: { [name]: 1 } }),
      /the name of a resource is cpu, memory, ephemeral-storage or that of an extended resource/,
      resources({ limits: { 'a.com/gpu': 1 } }),
    ],
  ),
  ['a metric with a /', pods({ name: 'a/b' }), /metric\.name.*should match/, pods({ name: 'a:b|c' })],
  [
    'a metric of an API that is not there',
    ofObject({ apiVersion: 'a/b/c' }),
    /apiVersion.*should match/,
    ofObject({ apiVersion: 'a.b/v1' }),
  ],
  ['a metric of a kind with a /', ofObject({ kind: 'A/b' }), /kind.*should match/, ofObject({ kind: 'Ingress' })],
  ...reserved.map(
    (annotation): Case => [
      `the annotation ${annotation}`,
      { podAnnotations: { [annotation]: '1' } },
      /act on single\s+pods: remove them, and use spec\.podSecurityContext/,
      { podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' } },
    ],
  ),
  [
    'annotations that are too many together',
    { podAnnotations: Object.fromEntries(Array.from({ length: 26 }, (_, index) => [`a${index}`, 'a'.repeat(8000)])) },
    /annotations are more than 200000 bytes together: keep large content in spec\.config/,
    { podAnnotations: Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`a${index}`, 'a'.repeat(8000)])) },
  ],
  [
    'a configuration that no ConfigMap holds',
    { config: { data: Object.fromEntries(['A', 'B', 'C'].map((key) => [key, 'ä'.repeat(180_000)])) } },
    /config\.data is more than 1 MiB together/,
    { config: { data: Object.fromEntries(['A', 'B', 'C'].map((key) => [key, 'ä'.repeat(170_000)])) } },
  ],
];
