import type { Case, Spec } from './crd-case.ts';

const volume = (kind: Spec) => ({ volumes: [{ name: 'a', ...kind }] });
const mount = (change: Spec) => ({
  volumes: [{ name: 'a', emptyDir: {} }],
  volumeMounts: [{ name: 'a', mountPath: '/a', ...change }],
});
const item = (change: Spec) => volume({ configMap: { name: 'b', items: [{ key: 'c', path: 'd', ...change }] } });
const source = (kind: Spec) => volume({ projected: { sources: [kind] } });
const file = (change: Spec) => ({ items: [{ path: 'a', ...change }] });
const claim = (change: Spec) =>
  volume({ ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '1Gi' } }, ...change } } } });
const container = (change: Spec) => ({ initContainers: [{ name: 'a', image: 'b', ...change }] });
const sidecar = (probes: Spec) => container({ restartPolicy: 'Always', probes });
const scheduling = (change: Spec) => ({ scheduling: change });
const toleration = (change: Spec) => scheduling({ tolerations: [{ key: 'a', ...change }] });
const labels = { fieldRef: { fieldPath: 'metadata.labels' } };
const processor = { resourceFieldRef: { containerName: 'orders', resource: 'limits.cpu' } };

/** Each place where labels are asked about, with the question put into it. */
const questions: readonly (readonly [where: string, spec: (expression: Spec) => Spec])[] = [
  ...(['podAffinity', 'podAntiAffinity'] as const).flatMap((kind) => {
    const term = (expression: Spec) => ({
      labelSelector: { matchExpressions: [expression] },
      topologyKey: 'kubernetes.io/hostname',
    });
    return [
      [
        `that ${kind} needs`,
        (expression: Spec) =>
          scheduling({ affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term(expression)] } } }),
      ],
      [
        `that ${kind} likes`,
        (expression: Spec) => {
          const wish = { weight: 1, podAffinityTerm: term(expression) };
          return scheduling({ affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [wish] } } });
        },
      ],
    ] as const;
  }),
  [
    'that nodeAffinity needs',
    (expression) => {
      const nodeSelectorTerms = [{ matchExpressions: [expression] }];
      return scheduling({
        affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
      });
    },
  ],
  [
    'that nodeAffinity likes',
    (expression) => {
      const wish = { weight: 1, preference: { matchExpressions: [expression] } };
      return scheduling({
        affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [wish] } },
      });
    },
  ],
];

const volumes: readonly Case[] = [
  ['a volume of no kind', volume({}), /exactly one of configMap, secret, emptyDir/, volume({ emptyDir: {} })],
  [
    'a volume of two kinds',
    volume({ emptyDir: {}, secret: { secretName: 'b' } }),
    /a volume takes exactly one of .*keep one of them/,
    volume({ secret: { secretName: 'b' } }),
  ],
  [
    'a folder of the node',
    volume({ hostPath: { path: '/' } }),
    /unknown field "spec\.volumes\[0\]\.hostPath"/,
    volume({ persistentVolumeClaim: { claimName: 'b' } }),
  ],
  [
    'a disk from the network',
    volume({ nfs: { server: 'a', path: '/' } }),
    /unknown field "spec\.volumes\[0\]\.nfs"/,
    claim({ storageClassName: 'fast' }),
  ],
  [
    "a volume with a name that is the operator's",
    { volumes: [{ name: 'platform-tmp', emptyDir: {} }] },
    /start with platform- are the operator's; choose another one/,
    { volumes: [{ name: 'my-platform-tmp', emptyDir: {} }] },
  ],
  [
    'the name of a volume in capitals',
    { volumes: [{ name: 'A', emptyDir: {} }] },
    /spec\.volumes\[0\]\.name.*should match/,
    { volumes: [{ name: 'a-1', emptyDir: {} }] },
  ],
  [
    'a long name of a volume',
    { volumes: [{ name: 'a'.repeat(64), emptyDir: {} }] },
    /may not be more than 63/,
    { volumes: [{ name: 'a'.repeat(63), emptyDir: {} }] },
  ],
  [
    'two volumes of one name',
    {
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'a', emptyDir: {} },
      ],
    },
    /spec\.volumes\[1\]: Duplicate value: .*"a"/,
    {
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', emptyDir: {} },
      ],
    },
  ],
  ['a file above its volume', item({ path: '../d' }), /path.*should match/, item({ path: 'c/d' })],
  ['a file at an absolute path', item({ path: '/d' }), /path.*should match/, item({ path: 'd' })],
  ['permissions beyond 0777', item({ mode: 512 }), /less than or equal to 511/, item({ mode: 511 })],
  [
    'permissions of all files beyond 0777',
    volume({ secret: { secretName: 'b', defaultMode: 512 } }),
    /less than or equal to 511/,
    volume({ secret: { secretName: 'b', defaultMode: 0 } }),
  ],
  ['a key with a space', item({ key: 'a b' }), /key.*should match/, item({ key: 'a_B.c-1' })],
  [
    'a medium that is not there',
    volume({ emptyDir: { medium: 'Disk' } }),
    /supported values: "Memory"/,
    volume({ emptyDir: { medium: 'Memory' } }),
  ],
  [
    'a size in parts of a byte',
    volume({ emptyDir: { sizeLimit: '1m' } }),
    /sizeLimit.*should match/,
    volume({ emptyDir: { sizeLimit: '1Mi' } }),
  ],
  [
    'a claim of nothing',
    claim({ resources: { requests: { storage: 0 } } }),
    /storage.*greater than or equal to 1/,
    claim({ resources: { requests: { storage: 1 } } }),
  ],
  ['a claim of no mode', claim({ accessModes: [] }), /at least 1 items/, claim({ accessModes: ['ReadWriteOncePod'] })],
  [
    'a source of two kinds',
    source({ configMap: { name: 'b' }, secret: { name: 'c' } }),
    /a source of a projected volume takes exactly one of/,
    source({ secret: { name: 'c' } }),
  ],
  [
    'a source of no kind',
    source({}),
    /exactly one of configMap, secret, downwardAPI and\s+serviceAccountToken; keep one/,
    source({ serviceAccountToken: { path: 'token' } }),
  ],
  [
    'a token that expires at once',
    source({ serviceAccountToken: { path: 'token', expirationSeconds: 599 } }),
    /greater than or equal to 600/,
    source({ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }),
  ],
  [
    'a fact of two sources',
    volume({ downwardAPI: file({ ...labels, ...processor }) }),
    /a file of downwardAPI takes exactly one of fieldRef and resourceFieldRef/,
    volume({ downwardAPI: file(labels) }),
  ],
  [
    'a fact of no source',
    source({ downwardAPI: file({}) }),
    /exactly one of fieldRef and resourceFieldRef; keep one/,
    source({ downwardAPI: file(processor) }),
  ],
  [
    'a fact that pods do not offer as a file',
    volume({ downwardAPI: file({ fieldRef: { fieldPath: 'spec.nodeName' } }) }),
    /fieldPath.*should match/,
    volume({ downwardAPI: file({ fieldRef: { fieldPath: "metadata.annotations['a.b/c']" } }) }),
  ],
  [
    'a mount of a volume that is not there',
    mount({ name: 'b' }),
    /volumeMounts names a volume that is not in spec\.volumes; use the name/,
    mount({}),
  ],
  [
    'a mount without any volume',
    { volumeMounts: [{ name: 'a', mountPath: '/a' }] },
    /not in spec\.volumes; use the name of one of them, or add it/,
    { volumes: [{ name: 'a', emptyDir: {} }] },
  ],
  [
    'a mount in front of the service, of a volume that is not there',
    { ...mount({}), ...container({ volumeMounts: [{ name: 'b', mountPath: '/a' }] }) },
    /volumeMounts of an entry of initContainers name a volume that is not in spec\.volumes/,
    { ...mount({}), ...container({ volumeMounts: [{ name: 'a', mountPath: '/b' }] }) },
  ],
  ['a mount at a relative path', mount({ mountPath: 'a' }), /mountPath/, mount({ mountPath: '/a/b' })],
  ['a mount over everything', mount({ mountPath: '/' }), /mountPath.*at least 2/, mount({ mountPath: '/b' })],
  ['a mount at a path that ends with /', mount({ mountPath: '/tmp/' }), /mountPath/, mount({ mountPath: '/tmp' })],
  ['a mount at a path with a colon', mount({ mountPath: '/a:b' }), /mountPath/, mount({ mountPath: '/a-b' })],
  ['a part of a volume above it', mount({ subPath: '../b' }), /subPath/, mount({ subPath: 'b/c' })],
  ['a part of a volume at an absolute path', mount({ subPath: '/b' }), /subPath/, mount({ subPath: 'b' })],
  [
    'two mounts at one path',
    {
      volumes: [{ name: 'a', emptyDir: {} }],
      volumeMounts: [
        { name: 'a', mountPath: '/a' },
        { name: 'a', mountPath: '/a' },
      ],
    },
    /spec\.volumeMounts\[1\]: Duplicate value: .*"\/a"/,
    {
      volumes: [{ name: 'a', emptyDir: {} }],
      volumeMounts: [
        { name: 'a', mountPath: '/a' },
        { name: 'a', mountPath: '/b' },
      ],
    },
  ],
];

const config: readonly Case[] = [
  [
    'a mount where the configuration is',
    { ...mount({}), config: { data: { A: '' }, mountPath: '/a' } },
    /config\.mountPath is the path of one of volumeMounts too; change one/,
    { ...mount({}), config: { data: { A: '' }, mountPath: '/b' } },
  ],
  [
    'a variable of the configuration with a dot',
    { config: { data: { 'routes.yaml': '' } } },
    /use letters, digits and '_', or set config\.mountPath/,
    { config: { data: { 'routes.yaml': '' }, mountPath: '/etc/orders' } },
  ],
  [
    'a file of the configuration with a space',
    { config: { data: { 'a b': '' }, mountPath: '/a' } },
    /a key of config\.data takes letters, digits, '-', '_' and '\.', at most 253/,
    { config: { data: { 'a-b.c_d': '' }, mountPath: '/a' } },
  ],
  [
    'a file of the configuration that starts with two dots',
    { config: { data: { '..a': '' }, mountPath: '/a' } },
    /does not start with '\.\.'/,
    { config: { data: { '.a': '' }, mountPath: '/a' } },
  ],
  [
    'a configuration of nothing',
    { config: { data: {} } },
    /config\.data.*at least 1 properties/,
    { config: { data: { A: '' } } },
  ],
  [
    'a configuration mounted over everything',
    { config: { data: { A: '' }, mountPath: '/' } },
    /config\.mountPath.*at least 2/,
    { config: { data: { A: '' }, mountPath: '/etc' } },
  ],
];

const containers: readonly Case[] = [
  [
    'a container before the service with its name',
    { initContainers: [{ name: 'orders', image: 'b' }] },
    /an entry of initContainers has the name of the Microservice.*give it another one/,
    { initContainers: [{ name: 'orders-1', image: 'b' }] },
  ],
  [
    'two containers of one name',
    {
      initContainers: [
        { name: 'a', image: 'b' },
        { name: 'a', image: 'b' },
      ],
    },
    /spec\.initContainers\[1\]: Duplicate value: .*"a"/,
    {
      initContainers: [
        { name: 'a', image: 'b' },
        { name: 'b', image: 'b' },
      ],
    },
  ],
  [
    'a probe of a container that runs to its end',
    container({ probes: { readiness: { exec: { command: ['a'] } } } }),
    /only a sidecar takes probes: set restartPolicy: Always, or remove probes/,
    sidecar({ readiness: { exec: { command: ['a'] } } }),
  ],
  [
    'a container that is restarted only when it fails',
    container({ restartPolicy: 'OnFailure' }),
    /supported values: "Always"/,
    container({ restartPolicy: 'Always' }),
  ],
  ...(['readiness', 'liveness', 'startup'] as const).flatMap((probe): Case[] => [
    [
      `a ${probe} probe of a sidecar without an action`,
      sidecar({ [probe]: { periodSeconds: 3 } }),
      /a probe of a sidecar needs its action, and the number of a port: set exec, grpc/,
      sidecar({ [probe]: { tcpSocket: { port: 1 } } }),
    ],
    [
      `a ${probe} probe of a sidecar at the name of a port`,
      sidecar({ [probe]: { httpGet: { port: 'http' } } }),
      /set exec, grpc, httpGet\.port or tcpSocket\.port/,
      sidecar({ [probe]: { httpGet: { port: 8080 } } }),
    ],
    [
      `a ${probe} probe of a sidecar with two actions`,
      sidecar({ [probe]: { grpc: { port: 1 }, exec: { command: ['a'] } } }),
      /takes one of httpGet, tcpSocket, grpc and exec; keep one/,
      sidecar({ [probe]: { grpc: { port: 1 } } }),
    ],
  ]),
  [
    'a liveness probe of a sidecar that wants two successes',
    sidecar({ liveness: { grpc: { port: 1 }, successThreshold: 2 } }),
    /successThreshold has to be 1/,
    sidecar({ readiness: { grpc: { port: 1 }, successThreshold: 2 } }),
  ],
];

const security: readonly Case[] = [
  ...(['securityContext', 'podSecurityContext'] as const).map(
    (context): Case => [
      `root in ${context}`,
      { [context]: { runAsUser: 0 } },
      /runAsUser.*greater than or equal to 1/,
      { [context]: { runAsUser: 1, runAsGroup: 0 } },
    ],
  ),
  [
    'root in a container before the service',
    container({ securityContext: { runAsUser: 0 } }),
    /runAsUser.*greater than or equal to 1/,
    container({ securityContext: { runAsUser: 2_147_483_647 } }),
  ],
  [
    'a capability that reaches far',
    { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } },
    /supported values: "NET_BIND_SERVICE"/,
    { securityContext: { capabilities: { add: ['NET_BIND_SERVICE'] } } },
  ],
  ...['privileged', 'allowPrivilegeEscalation', 'procMount'].map(
    (field): Case => [
      `securityContext.${field}`,
      { securityContext: { [field]: true } },
      new RegExp(`unknown field "spec\\.securityContext\\.${field}"`),
      { securityContext: { readOnlyRootFilesystem: false } },
    ],
  ),
  ...['hostNetwork', 'hostPID', 'hostIPC', 'nodeName', 'runtimeClassName'].map(
    (field): Case => [
      field,
      { [field]: true },
      new RegExp(`unknown field "spec\\.${field}"`),
      { podSecurityContext: { supplementalGroups: [0] } },
    ],
  ),
  [
    'a group of the pod without a user',
    { podSecurityContext: { runAsGroup: 1500 } },
    /runAsGroup needs podSecurityContext\.runAsUser: add it, or set securityContext\.runAsGroup/,
    { podSecurityContext: { runAsUser: 1000, runAsGroup: 1500 } },
  ],
  [
    'no filter of system calls',
    { podSecurityContext: { seccompProfile: { type: 'Unconfined' } } },
    /supported values: "RuntimeDefault", "Localhost"/,
    { podSecurityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
  ],
  [
    'a filter on the nodes without its path',
    { podSecurityContext: { seccompProfile: { type: 'Localhost' } } },
    /localhostProfile goes with type Localhost and with no other; add it/,
    { podSecurityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' } } },
  ],
  [
    'a path of a filter that is not on the nodes',
    { podSecurityContext: { seccompProfile: { type: 'RuntimeDefault', localhostProfile: 'a' } } },
    /goes with type Localhost and with no other; add it, or remove it/,
    { podSecurityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a' } } },
  ],
];

const nodes: readonly Case[] = [
  [
    'a key of nodeSelector with a space',
    scheduling({ nodeSelector: { 'a b': '' } }),
    /a key of nodeSelector is the name of a label/,
    scheduling({ nodeSelector: { 'a.b/c': '' } }),
  ],
  [
    'a value of nodeSelector with a space',
    scheduling({ nodeSelector: { a: 'b c' } }),
    /nodeSelector.*should match/,
    scheduling({ nodeSelector: { a: 'b-c' } }),
  ],
  [
    'a toleration of every value that names one',
    toleration({ operator: 'Exists', value: 'b' }),
    /operator Exists takes no value: remove value, or use operator Equal/,
    toleration({ operator: 'Equal', value: 'b' }),
  ],
  [
    'a time for a taint that drives no pod away',
    toleration({ effect: 'NoSchedule', tolerationSeconds: 1 }),
    /tolerationSeconds goes with effect NoExecute only: set effect/,
    toleration({ effect: 'NoExecute', tolerationSeconds: 1 }),
  ],
  [
    'a toleration of everything',
    scheduling({ tolerations: [{ operator: 'Exists' }] }),
    /tolerations\[0\]\.key: Required/,
    toleration({ operator: 'Exists' }),
  ],
  ...questions.map(
    ([where, spec]): Case => [
      `a label ${where} that exists with a value`,
      spec({ key: 'a', operator: 'Exists', values: ['b'] }),
      /operators Exists and DoesNotExist take no values, the others need them/,
      spec({ key: 'a', operator: 'Exists' }),
    ],
  ),
  ...questions.map(
    ([where, spec]): Case => [
      `a label ${where} in no list`,
      spec({ key: 'a', operator: 'In' }),
      /the others need them: add or remove values/,
      spec({ key: 'a', operator: 'In', values: ['b'] }),
    ],
  ),
  [
    "a priority of the cluster's own parts",
    scheduling({ priorityClassName: 'system-node-critical' }),
    /start with system- are for parts of the cluster; use another one/,
    scheduling({ priorityClassName: 'my-system-critical' }),
  ],
  [
    'two constraints of one kind',
    scheduling({
      topologySpreadConstraints: [
        { topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' },
        { topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule', maxSkew: 2 },
      ],
    }),
    /topologySpreadConstraints\[1\]: Duplicate value/,
    scheduling({
      topologySpreadConstraints: [
        { topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' },
        { topologyKey: 'a', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 2 },
      ],
    }),
  ],
];

const names: readonly Case[] = [
  [
    'names that nobody can resolve',
    { dnsPolicy: 'None' },
    /nothing can be resolved without dnsConfig\.nameservers: add one, or use another dnsPolicy/,
    { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.0.0.53'] } },
  ],
  [
    'no name server, in so many words',
    { dnsPolicy: 'None', dnsConfig: { nameservers: [] } },
    /without dnsConfig\.nameservers: add one/,
    { dnsPolicy: 'Default', dnsConfig: { nameservers: [] } },
  ],
  [
    'four name servers',
    { dnsConfig: { nameservers: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'] } },
    /must have at most 3 items/,
    { dnsConfig: { nameservers: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] } },
  ],
  [
    'an address without a name',
    { hostAliases: [{ ip: '10.0.0.7', hostnames: [] }] },
    /hostnames.*at least 1 items/,
    { hostAliases: [{ ip: '10.0.0.7', hostnames: ['mainframe'] }] },
  ],
  [
    'one address twice',
    {
      hostAliases: [
        { ip: '10.0.0.7', hostnames: ['a'] },
        { ip: '10.0.0.7', hostnames: ['b'] },
      ],
    },
    /hostAliases\[1\]: Duplicate value/,
    { hostAliases: [{ ip: '10.0.0.7', hostnames: ['a', 'b'] }] },
  ],
];

/** What concerns pods beside the service's own container: what is around it, before it and beneath it. */
export const podCases: readonly Case[] = [...volumes, ...config, ...containers, ...security, ...nodes, ...names];
