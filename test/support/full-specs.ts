import type {
  Affinity,
  Autoscaling,
  EnvFromSource,
  EnvVar,
  InitContainer,
  LabelSelector,
  MicroserviceSpec,
  Observability,
  Probe,
  Probes,
  Resources,
  Volume,
  VolumeMount,
} from '../../operator/src/api/microservice.generated.ts';

/** Every way to ask a container how it is; a probe takes one of them, so four specs hold all of them. */
const actions: readonly Probe[] = [
  {
    httpGet: { path: '/readyz', port: 8080, scheme: 'HTTP', httpHeaders: [{ name: 'Host', value: 'orders.example' }] },
  },
  { tcpSocket: { port: 8081 } },
  { grpc: { port: 50051, service: 'orders' } },
  { exec: { command: ['/bin/healthy', '--quick'] } },
];

/** All three probes, each with another action; another `turn`, other actions. */
function probes(turn: number): Probes {
  const [readiness, liveness, startup] = [0, 1, 2].map((at) => ({
    ...actions[(turn + at) % actions.length],
    initialDelaySeconds: 2 + at,
    periodSeconds: 11 + at,
    timeoutSeconds: 4 + at,
    failureThreshold: 6 + at,
    successThreshold: 1,
  }));
  return {
    readiness: { ...readiness, successThreshold: 2 },
    ...(liveness && { liveness }),
    ...(startup && { startup }),
  };
}

const env: readonly EnvVar[] = [
  { name: 'LOG_LEVEL', value: 'info' },
  {
    name: 'PASSWORD',
    valueFrom: { secretKeyRef: { name: 'orders-db', key: 'password', optional: true, onChange: 'Rollout' } },
  },
  {
    name: 'REGION',
    valueFrom: { configMapKeyRef: { name: 'orders-place', key: 'region', optional: true, onChange: 'Rollout' } },
  },
  { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
];

const envFrom: readonly EnvFromSource[] = [
  { prefix: 'MAP_', configMapRef: { name: 'orders-all', optional: true, onChange: 'None' } },
  { prefix: 'SECRET_', secretRef: { name: 'orders-secrets', optional: true, onChange: 'None' } },
];

const resources: Resources = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { cpu: '500m', memory: '256Mi' },
};

const volumes: readonly Volume[] = [
  {
    name: 'routes',
    configMap: {
      name: 'orders-routes',
      items: [{ key: 'routes.yaml', path: 'all/routes.yaml', mode: 288 }],
      defaultMode: 292,
      optional: true,
      onChange: 'Rollout',
    },
  },
  {
    name: 'certificates',
    secret: {
      secretName: 'orders-tls',
      items: [{ key: 'tls.key', path: 'keys/tls.key', mode: 256 }],
      defaultMode: 288,
      optional: true,
      onChange: 'Rollout',
    },
  },
  { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
  { name: 'files', persistentVolumeClaim: { claimName: 'orders-files', readOnly: true } },
  {
    name: 'cache',
    ephemeral: {
      volumeClaimTemplate: {
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'fast',
          resources: { requests: { storage: '10Gi' } },
        },
      },
    },
  },
  {
    name: 'together',
    projected: {
      defaultMode: 288,
      sources: [
        {
          configMap: {
            name: 'orders-one',
            items: [{ key: 'one.yaml', path: 'one.yaml', mode: 292 }],
            optional: true,
            onChange: 'Rollout',
          },
        },
        {
          secret: {
            name: 'orders-two',
            items: [{ key: 'two.pem', path: 'two.pem', mode: 256 }],
            optional: true,
            onChange: 'Rollout',
          },
        },
        {
          downwardAPI: {
            items: [
              { path: 'labels', mode: 292, fieldRef: { fieldPath: 'metadata.labels' } },
              { path: 'memory', resourceFieldRef: { containerName: 'migrate', resource: 'limits.memory' } },
            ],
          },
        },
        { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 7200 } },
      ],
    },
  },
  {
    name: 'facts',
    downwardAPI: {
      defaultMode: 288,
      items: [
        { path: 'annotations', mode: 292, fieldRef: { fieldPath: 'metadata.annotations' } },
        { path: 'cpu', resourceFieldRef: { containerName: 'migrate', resource: 'limits.cpu' } },
      ],
    },
  },
];

const volumeMounts: readonly VolumeMount[] = [
  { name: 'routes', mountPath: '/etc/routes', subPath: 'all', readOnly: true },
  { name: 'scratch', mountPath: '/var/scratch' },
];

/** A step before the service, or with `restartPolicy` a sidecar, in which everything is set. */
function before(name: string, turn?: number): InitContainer {
  return {
    name,
    image: `ghcr.io/acme/${name}:2.1.0`,
    imagePullPolicy: 'Always',
    command: ['/bin/run', name],
    args: ['--quiet', '--once'],
    env,
    envFrom,
    resources,
    volumeMounts: [{ name: 'scratch', mountPath: '/scratch', subPath: 'parts', readOnly: true }],
    securityContext: {
      readOnlyRootFilesystem: false,
      runAsUser: 1001,
      runAsGroup: 1002,
      capabilities: { add: ['NET_BIND_SERVICE'] },
    },
    ...(turn !== undefined && { restartPolicy: 'Always', probes: probes(turn) }),
  };
}

const selector: LabelSelector = {
  matchLabels: { tier: 'backend' },
  matchExpressions: [{ key: 'track', operator: 'In', values: ['stable', 'canary'] }],
};

const expressions = [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64', 'arm64'] }] as const;
const neighbours = { labelSelector: selector, topologyKey: 'kubernetes.io/hostname' };
const podAffinity: Affinity['podAffinity'] = {
  requiredDuringSchedulingIgnoredDuringExecution: [neighbours],
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: neighbours }],
};
const affinity: Affinity = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: expressions }] },
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 10, preference: { matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['slow'] }] } },
    ],
  },
  podAffinity,
  podAntiAffinity: podAffinity,
};

const rules = (seconds: number) =>
  ({
    stabilizationWindowSeconds: seconds,
    selectPolicy: 'Min',
    policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }],
  }) as const;

const metric = { name: 'queue_length', selector };
const autoscaling: Autoscaling = {
  minReplicas: 2,
  maxReplicas: 5,
  cpu: 70,
  memory: 80,
  requestsPerSecond: '1500m',
  metrics: [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
    { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '200Mi' } } },
    {
      type: 'ContainerResource',
      containerResource: {
        name: 'cpu',
        container: 'proxy',
        target: { type: 'Utilization', averageUtilization: 60 },
      },
    },
    {
      type: 'ContainerResource',
      containerResource: { name: 'memory', container: 'proxy', target: { type: 'AverageValue', averageValue: '90Mi' } },
    },
    { type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue: 30 } } },
    {
      type: 'Object',
      object: {
        describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' },
        metric,
        target: { type: 'Value', value: 100 },
      },
    },
    {
      type: 'Object',
      object: {
        describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' },
        metric,
        target: { type: 'AverageValue', averageValue: '1500m' },
      },
    },
    { type: 'External', external: { metric, target: { type: 'Value', value: '2k' } } },
    { type: 'External', external: { metric, target: { type: 'AverageValue', averageValue: 7 } } },
  ],
  behavior: { scaleUp: rules(30), scaleDown: rules(60) },
};

const http = { name: 'http', containerPort: 8080, servicePort: 80, protocol: 'TCP', appProtocol: 'http' } as const;
const grpc = { name: 'grpc', containerPort: 50051, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' } as const;

/** What all of them have: everything that stands in no other field's way. */
const common = {
  image: 'ghcr.io/acme/orders:1.4.2',
  replicas: 2,
  imagePullPolicy: 'Always',
  imagePullSecrets: [{ name: 'registry' }, { name: 'mirror' }],
  command: ['/app/orders', '--serve'],
  args: ['--port', '8080'],
  env,
  envFrom,
  resources,
  volumes,
  volumeMounts,
  securityContext: {
    readOnlyRootFilesystem: false,
    runAsUser: 1000,
    runAsGroup: 1003,
    capabilities: { add: ['NET_BIND_SERVICE'] },
  },
  podSecurityContext: {
    runAsUser: 1004,
    runAsGroup: 1005,
    fsGroup: 2000,
    fsGroupChangePolicy: 'OnRootMismatch',
    supplementalGroups: [3000, 3001],
    seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/orders.json' },
  },
  podLabels: { team: 'orders', 'example.com/tier': 'backend' },
  podAnnotations: { 'example.com/note': 'by hand' },
  scheduling: {
    nodeSelector: { 'kubernetes.io/os': 'linux', disk: 'ssd' },
    tolerations: [
      { key: 'dedicated', operator: 'Equal', value: 'orders', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'spot', operator: 'Exists' },
    ],
    affinity,
    topologySpreadConstraints: [
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', maxSkew: 2 },
      { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ],
    priorityClassName: 'business-critical',
  },
  dnsPolicy: 'ClusterFirst',
  dnsConfig: {
    nameservers: ['10.0.0.53', '10.0.0.54'],
    searches: ['acme.example', 'orders.example'],
    options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }],
  },
  hostAliases: [{ ip: '10.0.0.7', hostnames: ['mainframe', 'mainframe.acme.example'] }],
  rollout: {
    type: 'RollingUpdate',
    maxSurge: '50%',
    maxUnavailable: 1,
    minReadySeconds: 5,
    progressDeadlineSeconds: 600,
  },
  shutdown: { drainSeconds: 7, gracePeriodSeconds: 45 },
  disruption: { maxUnavailable: '25%' },
} as const satisfies MicroserviceSpec;

/** What is measured; another `percentile`, another of the four shares. */
const observability = (percentile: 'p50' | 'p90' | 'p95' | 'p99'): Observability => ({
  metrics: { enabled: true, port: 'http', path: '/internal/metrics' },
  tracing: { samplePercent: '12.5' },
  slo: { availability: '99.9', latency: { [percentile]: '250ms' } },
});

/** Complete specs that the API server takes; each leaf of the schema is set in at least one of them. */
export const fullSpecs: Readonly<Record<string, MicroserviceSpec>> = {
  'inside the cluster, with sidecars': {
    ...common,
    ports: [http, grpc],
    probes: probes(0),
    config: { data: { MODE: 'fast', GREETING: 'hello' }, onChange: 'Rollout' },
    observability: observability('p95'),
    initContainers: [before('migrate'), before('proxy', 0), before('mesh', 1)],
    serviceAccount: { annotations: { 'example.com/role': 'orders' }, automountToken: true },
    service: {
      type: 'ClusterIP',
      headless: true,
      annotations: { 'example.com/dns': 'orders' },
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
    },
    suspend: false,
  },
  'at a port of every node, and scaled': {
    ...common,
    ports: [{ ...http, nodePort: 30080 }, grpc],
    probes: probes(1),
    config: { data: { 'routes.yaml': 'routes: []' }, mountPath: '/etc/orders', onChange: 'None' },
    observability: observability('p99'),
    initContainers: [before('migrate'), before('proxy', 2), before('mesh', 3)],
    serviceAccount: { name: 'orders-reader', automountToken: true },
    service: { type: 'NodePort', externalTrafficPolicy: 'Local', annotations: { 'example.com/dns': 'orders' } },
    autoscaling,
    suspend: false,
  },
  'behind a load balancer': {
    ...common,
    ports: [http, grpc],
    probes: probes(2),
    observability: observability('p50'),
    service: {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Cluster',
      loadBalancerClass: 'example.com/internal',
      loadBalancerSourceRanges: ['10.0.0.0/8', '192.168.0.0/16'],
    },
  },
  'with other probes': {
    image: 'ghcr.io/acme/orders:1.4.2',
    replicas: 1,
    ports: [http, grpc],
    probes: probes(3),
    observability: observability('p90'),
  },
};
