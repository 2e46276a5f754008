import fc from 'fast-check';
import type { Schema } from '../../operator/generate.ts';
import type {
  Autoscaling,
  EnvFromSource,
  EnvVar,
  MicroserviceSpec,
  Port,
  Probe,
  Probes,
  Resources,
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
      { name: some(['A', 'B', 'C', 'D']), value: some(['', 'info', '500m', '$(A)/x']) },
      { requiredKeys: ['name'] },
    ),
    fc.record({
      name: some(['A', 'B', 'C', 'D']),
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
    { name: some(['orders', 'orders-db']), key: some(['key', 'password']), optional: fc.boolean() },
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

const autoscaling: fc.Arbitrary<Autoscaling> = fc.record(
  {
    minReplicas: some([1, 2]),
    maxReplicas: some([2, 5]),
    cpu: some([50, 80]),
    memory: some([70]),
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

/** Specs that the API server takes, rules in CEL included. */
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
      command: some([['/app/orders'], []]),
      args: some([['--port', '8080'], ['']]),
    },
    { requiredKeys: ['image', 'replicas'] },
  )
  .map((spec) => (hasTcpPort(spec) ? spec : withoutFallbackProbes(spec)))
  .map((spec) => (spec.autoscaling ? withRequests(spec) : spec));

function hasTcpPort({ ports: list = [] }: MicroserviceSpec): boolean {
  return list.some((port) => port.protocol !== 'UDP');
}

function withoutFallbackProbes(spec: MicroserviceSpec): MicroserviceSpec {
  const usable = Object.entries(spec.probes ?? {}).filter(([, { httpGet, tcpSocket, grpc, exec }]) =>
    Boolean(httpGet ?? tcpSocket ?? grpc ?? exec),
  );
  return { ...spec, probes: Object.fromEntries(usable) };
}

function withRequests(spec: MicroserviceSpec): MicroserviceSpec {
  return { ...spec, resources: { ...spec.resources, requests: { cpu: '100m', memory: '64Mi' } } };
}
