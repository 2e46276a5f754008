import fc from 'fast-check';
import type { Schema } from '../../operator/generate.ts';
import type {
  Affinity,
  Autoscaling,
  Config,
  DnsConfig,
  EnvFromSource,
  EnvVar,
  HostAlias,
  InitContainer,
  Metric,
  MicroserviceSpec,
  Observability,
  PodSecurityContext,
  Port,
  Probe,
  Probes,
  PullSecret,
  Resources,
  Rollout,
  Scheduling,
  SecurityContext,
  ServiceAccount,
  ServiceOptions,
  Shutdown,
  Volume,
  VolumeMount,
} from '../../operator/src/api/microservice.generated.ts';

/** Values that a schema allows, without regard to the rules in CEL. Optional fields come and go. */
export function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema['x-kubernetes-int-or-string']) {
    return fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom('http', '1', '250m', '1Gi', '0.5'));
  }
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.items) return fc.array(valuesOf(schema.items), { maxLength: 3 });
  if (schema.additionalProperties) {
    return fc.dictionary(fc.constantFrom('cpu', 'memory', 'example.com/gpu'), valuesOf(schema.additionalProperties));
  }
  if (schema.properties) {
    const { properties, required = [] } = schema;
    const always = [...required, ...Object.keys(properties).filter((name) => properties[name]?.default !== undefined)];
    return fc.record(Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, valuesOf(field)])), {
      requiredKeys: always,
    });
  }
  if (schema.type === 'integer') return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 1000 });
  if (schema.type === 'boolean') return fc.boolean();
  return fc.string({ maxLength: Math.min(schema.maxLength ?? 8, 8) });
}

const some = <T>(values: readonly T[]) => fc.constantFrom(...values);

/** An object of which every field may be left out, but those named. */
function partly<T, K extends keyof T = never>(
  fields: { [P in keyof T]: fc.Arbitrary<T[P]> },
  requiredKeys: K[] = [],
): fc.Arbitrary<Partial<T> & Pick<T, K>> {
  return fc.record(fields, { requiredKeys }) as fc.Arbitrary<Partial<T> & Pick<T, K>>;
}

const ports: fc.Arbitrary<Port[]> = fc
  .uniqueArray(
    fc.record(
      {
        name: some(['http', 'grpc', 'metrics', 'dns']),
        containerPort: some([8080, 9090, 50051]),
        servicePort: some([80, 443, 8081]),
        protocol: some(['TCP', 'UDP'] as const),
        appProtocol: some(['http', 'grpc', 'kubernetes.io/h2c']),
      },
      { requiredKeys: ['name', 'containerPort'] },
    ),
    { maxLength: 3, selector: (port) => port.name },
  )
  .filter((list) => {
    const distinct = (numbers: readonly string[]) => new Set(numbers).size === numbers.length;
    const protocol = (port: Port) => port.protocol ?? 'TCP';
    return (
      distinct(list.map((port) => `${port.containerPort}/${protocol(port)}`)) &&
      distinct(list.map((port) => `${port.servicePort ?? port.containerPort}/${protocol(port)}`))
    );
  });

const env: fc.Arbitrary<EnvVar[]> = fc.uniqueArray(
  fc.oneof(
    fc.record(
      {
        name: some(['A', 'B', 'C', 'D', 'OTEL_SERVICE_NAME', 'OTEL_TRACES_SAMPLER_ARG']),
        value: some(['', 'info', '500m', '$(A)/x']),
      },
      { requiredKeys: ['name'] },
    ),
    fc.record({
      name: some(['A', 'B', 'C', 'D', 'OTEL_SERVICE_NAME', 'OTEL_TRACES_SAMPLER_ARG']),
      valueFrom: fc.oneof(
        fc.record({ secretKeyRef: keyRef() }),
        fc.record({ configMapKeyRef: keyRef() }),
        fc.record({
          fieldRef: fc.record({ fieldPath: some(['metadata.name', "metadata.labels['a.b/c']"]) }),
        }),
        fc.record({
          resourceFieldRef: fc.record(
            { resource: some(['limits.memory', 'requests.memory'] as const), divisor: some([1, '1', '1Mi']) },
            { requiredKeys: ['resource'] },
          ),
        }),
      ),
    }),
  ),
  { maxLength: 4, selector: (variable) => variable.name },
);

function keyRef() {
  return fc.record(
    {
      name: some(['orders', 'orders-db']),
      key: some(['key', 'password']),
      optional: fc.boolean(),
      onChange: some(['Rollout', 'None'] as const),
    },
    { requiredKeys: ['name', 'key'] },
  );
}

const envFrom: fc.Arbitrary<EnvFromSource[]> = fc.array(
  fc.oneof(
    fc.record(
      { configMapRef: fc.record({ name: some(['a', 'b']) }), prefix: some(['', 'X_']) },
      { requiredKeys: ['configMapRef'] },
    ),
    fc.record({
      secretRef: fc.record({ name: some(['a', 'b']), optional: fc.boolean() }, { requiredKeys: ['name'] }),
    }),
  ),
  { maxLength: 3 },
);

/** Requests that never exceed the limits, written in the many ways there are. */
const resources: fc.Arbitrary<Resources> = fc.record(
  {
    requests: fc.record(
      { cpu: some(['100m', '0.1', '0.25', '250m']), memory: some(['128Mi', '134217728', '64Mi', '0.1Gi']) },
      { requiredKeys: [] },
    ),
    limits: fc.record(
      { cpu: some([1, '1', '1000m', '1.5']), memory: some(['1Gi', '1024Mi', '1.5Gi', '1G']) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const timing = {
  initialDelaySeconds: some([0, 3]),
  periodSeconds: some([1, 10]),
  timeoutSeconds: some([1, 3]),
  failureThreshold: some([1, 30]),
};

const probe: fc.Arbitrary<Probe> = fc
  .tuple(
    fc.oneof(
      fc.constant({}),
      fc.record({
        httpGet: fc.record(
          {
            path: some(['/readyz', '/']),
            port: some([8080, 9090]),
            scheme: some(['HTTP', 'HTTPS'] as const),
          },
          { requiredKeys: ['port'] },
        ),
      }),
      fc.record({ tcpSocket: fc.record({ port: some([8080, 9090]) }) }),
      fc.record({
        grpc: fc.record({ port: some([50051]), service: some(['', 'orders']) }, { requiredKeys: ['port'] }),
      }),
      fc.record({ exec: fc.record({ command: some([['/bin/true'], ['/bin/sh', '-c', '']]) }) }),
    ),
    fc.record(timing, { requiredKeys: [] }),
  )
  .map(([action, times]) => ({ ...action, ...times }));

const probes: fc.Arbitrary<Probes> = fc.record(
  { readiness: probe, liveness: probe, startup: probe },
  { requiredKeys: [] },
);

function metric(): fc.Arbitrary<Metric> {
  const percent = fc.record({ type: fc.constant('Utilization' as const), averageUtilization: some([50, 60]) });
  const averageValue = some([30, '30', '1500m', '2k']);
  const perPod = fc.record({ type: fc.constant('AverageValue' as const), averageValue });
  const inAll = fc.record({ type: fc.constant('Value' as const), value: averageValue });
  const name = some(['cpu', 'memory'] as const);
  const series = partly(
    { name: some(['queue_length', 'requests']), selector: some([{ matchLabels: { tier: 'backend' } }]) },
    ['name'],
  );
  const describedObject = some([{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' }]);
  return fc.oneof(
    fc.record({
      type: fc.constant('Resource' as const),
      resource: fc.record({ name, target: fc.oneof(percent, perPod) }),
    }),
    fc.record({
      type: fc.constant('ContainerResource' as const),
      containerResource: fc.record({ name, container: some(['proxy']), target: fc.oneof(percent, perPod) }),
    }),
    fc.record({ type: fc.constant('Pods' as const), pods: fc.record({ metric: series, target: perPod }) }),
    fc.record({
      type: fc.constant('Object' as const),
      object: fc.record({ describedObject, metric: series, target: fc.oneof(inAll, perPod) }),
    }),
    fc.record({
      type: fc.constant('External' as const),
      external: fc.record({ metric: series, target: fc.oneof(inAll, perPod) }),
    }),
  );
}

const autoscaling: fc.Arbitrary<Autoscaling> = fc.record(
  {
    minReplicas: some([1, 2]),
    maxReplicas: some([2, 5]),
    cpu: some([50, 80]),
    memory: some([70]),
    requestsPerSecond: some<number | string>([100, '500m']),
    metrics: fc.array(metric(), { maxLength: 3 }),
    behavior: fc.record(
      {
        scaleUp: fc.record(
          {
            stabilizationWindowSeconds: some([0, 30]),
            selectPolicy: some(['Max', 'Min', 'Disabled'] as const),
            policies: fc.array(
              fc.record({
                type: some(['Pods', 'Percent'] as const),
                value: some([1, 50]),
                periodSeconds: some([15, 60]),
              }),
              { minLength: 1, maxLength: 2 },
            ),
          },
          { requiredKeys: [] },
        ),
        scaleDown: fc.record({ stabilizationWindowSeconds: some([0, 60]) }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['maxReplicas', 'cpu'] },
);

const pulling = some(['Always', 'IfNotPresent', 'Never'] as const);
const command = some([['/app/orders'], []]);
const args = some([['--port', '8080'], ['']]);

const imagePullSecrets: fc.Arbitrary<PullSecret[]> = fc.uniqueArray(
  fc.record({ name: some(['registry', 'mirror', 'other']) }),
  { maxLength: 3, selector: ({ name }) => name },
);

const config: fc.Arbitrary<Config> = fc.oneof(
  partly(
    {
      data: fc.dictionary(some(['MODE', 'GREETING', 'OTEL_TRACES_EXPORTER']), some(['', 'fast']), { minKeys: 1 }),
      onChange: some(['Rollout', 'None'] as const),
    },
    ['data'],
  ),
  partly(
    {
      data: fc.dictionary(some(['routes.yaml', 'MODE']), some(['', 'routes: []\n']), { minKeys: 1 }),
      mountPath: some(['/etc/orders', '/tmp']),
      onChange: some(['Rollout', 'None'] as const),
    },
    ['data', 'mountPath'],
  ),
);

const keyItems = fc.array(
  partly({ key: some(['key', 'password']), path: some(['a', 'b/c']), mode: some([0, 288]) }, ['key', 'path']),
  { maxLength: 2 },
);
const defaultMode = some([288, 420]);
const content = { items: keyItems, optional: fc.boolean(), onChange: some(['Rollout', 'None'] as const) };
const objects = some(['orders', 'orders-db']);

/** Facts about the pod as files; each at a path of its own, since the sources of one volume may not share one. */
const facts = (at: string) =>
  fc.oneof(
    partly(
      {
        path: fc.constant(`${at}/labels`),
        mode: some([0, 288]),
        fieldRef: fc.record({ fieldPath: some(['metadata.labels', "metadata.annotations['a.b/c']"]) }),
      },
      ['path', 'fieldRef'],
    ),
    fc.record({
      path: fc.constant(`${at}/memory`),
      resourceFieldRef: partly(
        { containerName: some(['proxy']), resource: some(['limits.memory', 'requests.cpu'] as const) },
        ['resource'],
      ),
    }),
  );

const projected = fc
  .tuple(
    partly({ name: objects, optional: fc.boolean(), onChange: some(['Rollout', 'None'] as const) }, ['name']),
    partly({ name: objects, items: some([[{ key: 'key', path: 'one' }]]) }, ['name', 'items']),
    fc.record({ items: fc.tuple(facts('facts')) }),
    partly({ path: fc.constant('token'), audience: some(['vault', 'shop']), expirationSeconds: some([600, 7200]) }, [
      'path',
    ]),
    fc.integer({ min: 1, max: 15 }),
  )
  .map(([configMap, secret, downwardAPI, serviceAccountToken, which]) =>
    [{ configMap }, { secret }, { downwardAPI }, { serviceAccountToken }].filter((_, bit) => (which >> bit) % 2 === 1),
  );

const volumeNames = ['one', 'two', 'three'];

/** Volumes of every kind; the same name is now of one kind and now of another. */
const volumes: fc.Arbitrary<Volume[]> = fc.uniqueArray(
  fc
    .tuple(
      some(volumeNames),
      fc.oneof(
        fc.record({ configMap: partly({ name: objects, defaultMode, ...content }, ['name']) }),
        fc.record({ secret: partly({ secretName: objects, defaultMode, ...content }, ['secretName']) }),
        fc.record({
          emptyDir: partly({ medium: fc.constant('Memory' as const), sizeLimit: some([0, '1Gi', '1024Mi', 1048576]) }),
        }),
        fc.record({
          persistentVolumeClaim: partly({ claimName: some(['files', 'more']), readOnly: fc.boolean() }, ['claimName']),
        }),
        fc.record({
          ephemeral: fc.record({
            volumeClaimTemplate: fc.record({
              spec: partly(
                {
                  accessModes: some([['ReadWriteOnce'], ['ReadWriteOncePod'], ['ReadWriteMany']] as const),
                  storageClassName: some(['fast', 'slow']),
                  resources: fc.record({ requests: fc.record({ storage: some(['1Gi', '1024Mi', 1_000_000]) }) }),
                },
                ['resources'],
              ),
            }),
          }),
        }),
        fc.record({ projected: partly({ defaultMode, sources: projected }, ['sources']) }),
        fc.record({ downwardAPI: partly({ defaultMode, items: fc.tuple(facts('a'), facts('b')) }, ['items']) }),
      ),
    )
    .map(([name, kind]) => ({ name, ...kind })),
  { maxLength: 3, selector: ({ name }) => name },
);

const volumeMounts: fc.Arbitrary<VolumeMount[]> = fc.uniqueArray(
  partly(
    {
      name: some(volumeNames),
      mountPath: some(['/tmp', '/var/one', '/var/two']),
      subPath: some(['part', 'part/of']),
      readOnly: fc.boolean(),
    },
    ['name', 'mountPath'],
  ),
  { maxLength: 2, selector: ({ mountPath }) => mountPath },
);

const securityContext: fc.Arbitrary<SecurityContext> = partly({
  readOnlyRootFilesystem: fc.boolean(),
  runAsUser: some([1, 1000]),
  runAsGroup: some([0, 1000]),
  capabilities: fc.record({ add: some([['NET_BIND_SERVICE'], []] as const) }),
});

const podSecurityContext: fc.Arbitrary<PodSecurityContext> = partly({
  runAsUser: some([1, 2000]),
  runAsGroup: some([0, 2000]),
  fsGroup: some([0, 2000]),
  fsGroupChangePolicy: some(['Always', 'OnRootMismatch'] as const),
  supplementalGroups: some([[], [3000], [3000, 0]]),
  seccompProfile: fc.oneof(
    fc.record({ type: fc.constant('RuntimeDefault' as const) }),
    fc.record({ type: fc.constant('Localhost' as const), localhostProfile: some(['a.json', 'b/c.json']) }),
  ),
});

/** A probe with an action, and with the number of its port. */
const sidecarProbe = probe.filter(({ httpGet, tcpSocket, grpc, exec }) =>
  Boolean(httpGet ?? tcpSocket ?? grpc ?? exec),
);

const before = {
  name: some(['migrate', 'proxy', 'mesh']),
  image: some(['ghcr.io/acme/proxy:2.1.0', 'ghcr.io/acme/proxy:2.2.0']),
  imagePullPolicy: pulling,
  command,
  args,
  env,
  envFrom,
  resources,
  volumeMounts,
  securityContext,
};

const initContainers: fc.Arbitrary<InitContainer[]> = fc.uniqueArray(
  fc.oneof(
    partly(before, ['name', 'image']),
    partly(
      {
        ...before,
        restartPolicy: fc.constant('Always' as const),
        probes: partly({ readiness: sidecarProbe, liveness: sidecarProbe, startup: sidecarProbe }),
      },
      ['name', 'image', 'restartPolicy'],
    ),
  ),
  { maxLength: 3, selector: ({ name }) => name },
);

const percentile = (key: 'p50' | 'p90' | 'p95' | 'p99', within: string) => fc.constant({ [key]: within });
const observability: fc.Arbitrary<Observability> = partly({
  metrics: partly({ enabled: fc.boolean(), port: some(['http', 'grpc', 'metrics']), path: some(['/metrics', '/m']) }),
  tracing: partly({ samplePercent: some([0, 10, 100, '0.5', '100']) }),
  slo: partly({ availability: some([99, '99.9', '50.0001']), latency: percentile('p95', '2.5s') }).filter(
    (slo) => Object.keys(slo).length > 0,
  ),
});

const annotations = fc.dictionary(some(['example.com/a', 'b']), some(['', 'c d']));

const serviceAccount: fc.Arbitrary<ServiceAccount> = fc.oneof(
  partly({ annotations, automountToken: fc.boolean() }),
  partly({ name: some(['reader', 'writer']), automountToken: fc.boolean() }),
);

const expressions = fc.array(
  fc.oneof(
    fc.record({ key: some(['disk', 'example.com/arch']), operator: some(['Exists', 'DoesNotExist'] as const) }),
    fc.record({
      key: some(['disk', 'example.com/arch']),
      operator: some(['In', 'NotIn'] as const),
      values: some([['a'], ['a', 'b']]),
    }),
  ),
  { minLength: 1, maxLength: 2 },
);
const weight = some([1, 100]);
const podTerm = fc.record({
  labelSelector: partly({ matchLabels: some([{ tier: 'backend' }]), matchExpressions: expressions }),
  topologyKey: some(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']),
});
const podAffinity = partly({
  requiredDuringSchedulingIgnoredDuringExecution: fc.array(podTerm, { maxLength: 2 }),
  preferredDuringSchedulingIgnoredDuringExecution: fc.array(fc.record({ weight, podAffinityTerm: podTerm }), {
    maxLength: 2,
  }),
});
const nodeTerm = fc.record({ matchExpressions: expressions });
const affinity: fc.Arbitrary<Affinity> = partly({
  nodeAffinity: partly({
    requiredDuringSchedulingIgnoredDuringExecution: fc.record({
      nodeSelectorTerms: fc.array(nodeTerm, { minLength: 1, maxLength: 2 }),
    }),
    preferredDuringSchedulingIgnoredDuringExecution: fc.array(fc.record({ weight, preference: nodeTerm }), {
      maxLength: 2,
    }),
  }),
  podAffinity,
  podAntiAffinity: podAffinity,
});

const scheduling: fc.Arbitrary<Scheduling> = partly({
  nodeSelector: fc.dictionary(some(['disk', 'kubernetes.io/arch']), some(['', 'amd64'])),
  tolerations: fc.array(
    fc.oneof(
      partly({ key: some(['dedicated', 'spot']), operator: fc.constant('Equal' as const), value: some(['', 'a']) }, [
        'key',
      ]),
      partly(
        {
          key: some(['dedicated', 'spot']),
          operator: fc.constant('Exists' as const),
          effect: fc.constant('NoExecute' as const),
          tolerationSeconds: some([0, 300]),
        },
        ['key', 'operator', 'effect'],
      ),
    ),
    { maxLength: 2 },
  ),
  affinity,
  topologySpreadConstraints: fc.uniqueArray(
    partly(
      {
        topologyKey: some(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']),
        whenUnsatisfiable: some(['DoNotSchedule', 'ScheduleAnyway'] as const),
        maxSkew: some([1, 2]),
      },
      ['topologyKey', 'whenUnsatisfiable'],
    ),
    { maxLength: 3, selector: ({ topologyKey, whenUnsatisfiable }) => `${topologyKey}/${whenUnsatisfiable}` },
  ),
  priorityClassName: some(['business-critical', 'batch']),
});

const dnsConfig: fc.Arbitrary<DnsConfig> = partly({
  nameservers: some([[], ['10.0.0.53'], ['10.0.0.53', 'fd00::53']]),
  searches: some([[], ['acme.example']]),
  options: fc.array(partly({ name: some(['ndots', 'rotate']), value: some(['1', '2']) }, ['name']), { maxLength: 2 }),
});

const hostAliases: fc.Arbitrary<HostAlias[]> = fc.uniqueArray(
  fc.record({ ip: some(['10.0.0.7', '10.0.0.8']), hostnames: some([['mainframe'], ['a.example', 'b']]) }),
  { maxLength: 2, selector: ({ ip }) => ip },
);

const times = { minReadySeconds: some([0, 10]), progressDeadlineSeconds: some([60, 600]) };
const rollout: fc.Arbitrary<Rollout> = fc.oneof(
  partly({ type: fc.constant('Recreate' as const), ...times }, ['type']),
  partly({
    type: fc.constant('RollingUpdate' as const),
    maxSurge: some([1, 2, '50%', '100%']),
    maxUnavailable: some([0, 1, '0%', '25%']),
    ...times,
  }),
  partly({ maxSurge: some([0, '0%']), maxUnavailable: some([1, '25%']), ...times }, ['maxUnavailable']),
);

const shutdown: fc.Arbitrary<Shutdown> = partly({
  drainSeconds: some([0, 5, 10]),
  gracePeriodSeconds: some([15, 60]),
});

const service: fc.Arbitrary<ServiceOptions> = fc.oneof(
  partly({ type: fc.constant('ClusterIP' as const), headless: fc.boolean(), annotations }),
  partly(
    {
      headless: fc.boolean(),
      sessionAffinity: fc.constant('ClientIP' as const),
      sessionAffinityConfig: fc.record({ clientIP: fc.record({ timeoutSeconds: some([600, 10_800]) }) }),
    },
    ['sessionAffinity'],
  ),
  fc.record({ sessionAffinity: fc.constant('None' as const) }),
);

/** Specs that the API server takes, rules in CEL included. Services are reachable inside the cluster only. */
export const validSpecs: fc.Arbitrary<MicroserviceSpec> = fc
  .record(
    {
      image: some(['ghcr.io/acme/orders:1.4.2', 'ghcr.io/acme/orders:1.5.0']),
      replicas: some([0, 1, 3]),
      ports,
      env,
      envFrom,
      resources,
      probes,
      autoscaling,
      command,
      args,
      imagePullPolicy: pulling,
      imagePullSecrets,
      config,
      volumes,
      volumeMounts,
      securityContext,
      podSecurityContext,
      initContainers,
      serviceAccount,
      podLabels: fc.dictionary(some(['team', 'example.com/tier']), some(['', 'orders'])),
      podAnnotations: annotations,
      scheduling,
      dnsPolicy: some(['ClusterFirst', 'Default', 'None'] as const),
      dnsConfig,
      hostAliases,
      rollout,
      shutdown,
      disruption: partly({ maxUnavailable: some([1, 2, '1%', '100%']) }),
      service,
      observability,
      suspend: fc.boolean(),
    },
    { requiredKeys: ['image', 'replicas'] },
  )
  .map((spec) => (hasTcpPort(spec) ? spec : withoutFallbackProbes(spec)))
  .map((spec) => (spec.autoscaling ? withRequests(spec) : spec))
  .map(withoutLooseMounts)
  .map(withUserOfGroup)
  .map(withNameServer)
  .map(withMeasuredPorts);

function hasTcpPort({ ports: list = [] }: MicroserviceSpec): boolean {
  return list.some((port) => port.protocol !== 'UDP');
}

function withoutFallbackProbes(spec: MicroserviceSpec): MicroserviceSpec {
  const usable = Object.entries(spec.probes ?? {}).filter(([, { httpGet, tcpSocket, grpc, exec }]) =>
    Boolean(httpGet ?? tcpSocket ?? grpc ?? exec),
  );
  return { ...spec, probes: Object.fromEntries(usable) };
}

/** What a percentage is of: requests of the service, and of every sidecar. */
function withRequests({ initContainers: list = [], ...spec }: MicroserviceSpec): MicroserviceSpec {
  const requests = { cpu: '100m', memory: '64Mi' };
  return {
    ...spec,
    resources: { ...spec.resources, requests },
    ...(list.length > 0 && {
      initContainers: list.map((container) =>
        container.restartPolicy ? { ...container, resources: { ...container.resources, requests } } : container,
      ),
    }),
  };
}

/** Mounts of volumes that are there, none of them where the configuration is. */
function withoutLooseMounts(spec: MicroserviceSpec): MicroserviceSpec {
  const known = new Set(spec.volumes?.map(({ name }) => name));
  const among = (mounts: readonly VolumeMount[], taken?: string) =>
    mounts.filter(({ name, mountPath }) => known.has(name) && mountPath !== taken);
  return {
    ...spec,
    ...(spec.volumeMounts && { volumeMounts: among(spec.volumeMounts, spec.config?.mountPath) }),
    ...(spec.initContainers && {
      initContainers: spec.initContainers.map((container) =>
        container.volumeMounts ? { ...container, volumeMounts: among(container.volumeMounts) } : container,
      ),
    }),
  };
}

/** The group of a pod goes with a user. */
function withUserOfGroup(spec: MicroserviceSpec): MicroserviceSpec {
  if (spec.podSecurityContext?.runAsGroup === undefined) return spec;
  return { ...spec, podSecurityContext: { runAsUser: 1, ...spec.podSecurityContext } };
}

function withNameServer(spec: MicroserviceSpec): MicroserviceSpec {
  if (spec.dnsPolicy !== 'None' || spec.dnsConfig?.nameservers?.length) return spec;
  return { ...spec, dnsConfig: { ...spec.dnsConfig, nameservers: ['10.0.0.53'] } };
}

/** Metrics at a TCP port that is there, and objectives only where somebody reads the metrics. */
function withMeasuredPorts({ observability: asked, ...spec }: MicroserviceSpec): MicroserviceSpec {
  if (asked === undefined) return spec;
  const tcp = (spec.ports ?? []).filter(({ protocol }) => protocol !== 'UDP');
  const { metrics: endpoint, slo, ...observability } = asked;
  const { port, ...rest } = endpoint ?? {};
  const metrics = {
    ...rest,
    ...(tcp.some(({ name }) => name === port) && port !== undefined && { port }),
    ...(tcp.length === 0 && { enabled: false }),
  };
  const isRead = endpoint === undefined ? tcp.some(({ name }) => name === 'http') : metrics.enabled !== false;
  return {
    ...spec,
    observability: { ...observability, ...(endpoint && { metrics }), ...(slo && isRead && { slo }) },
  };
}
