import { baseConfig, type ConfigSchema, readConfig } from '@microservice-platform/common';
import { describe, expect, it } from 'vitest';
import { shopSecrets } from '../../manifests/install.ts';
import { tracingVariables } from '../../operator/src/desired/tracing.ts';
import { analyticsConfig } from '../../services/analytics-service/src/config.ts';
import { gatewayConfig } from '../../services/api-gateway/src/config.ts';
import { readRoutes } from '../../services/api-gateway/src/routes/file.ts';
import { telemetryConfig } from '../../services/common/src/telemetry/telemetry-config.ts';
import { inventoryConfig } from '../../services/inventory-service/src/config.ts';
import { notificationConfig } from '../../services/notification-service/src/config.ts';
import { orderConfig } from '../../services/order-service/src/config.ts';
import { paymentConfig } from '../../services/payment-service/src/config.ts';
import { productConfig } from '../../services/product-service/src/config.ts';
import { userConfig } from '../../services/user-service/src/config.ts';
import { find, names, ofKind, platformNamespace, render, shop, type Wire } from './rendered.ts';

// As make up installs it.
const platform = render({ customMetrics: { enabled: true } });
const objects = shop();
const microservices = ofKind(objects, 'Microservice');

const schemas: Readonly<Record<string, ConfigSchema>> = {
  'analytics-service': analyticsConfig,
  'api-gateway': gatewayConfig,
  'inventory-service': inventoryConfig,
  'product-service': productConfig,
  'order-service': orderConfig,
  'notification-service': notificationConfig,
  'payment-service': paymentConfig,
  'user-service': userConfig,
};

/** What the operator adds where spec.observability.tracing asks for it, with what the chart tells it. */
function addedTo(microservice: Wire): Record<string, string> {
  const { env } = find(platform, 'Deployment', 'operator').spec.template.spec.containers[0];
  const collector = env.find(({ name }: Wire) => name === 'OPERATOR_OTLP_ENDPOINT').value;
  const added = tracingVariables(microservice, collector);
  return Object.fromEntries(added.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
}

/** The environment that a Microservice states for its pods. */
function environmentOf({ spec }: Wire): Record<string, string> {
  return Object.fromEntries(
    spec.env.map(({ name, value, valueFrom }: Wire) => {
      const { name: secret, key } = valueFrom?.secretKeyRef ?? {};
      return [name, value ?? shopSecrets[secret]?.()[key]];
    }),
  );
}

/** Every host and port that the environment names, as `host:port`. */
function addressesIn(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (/_(URL|ENDPOINT)$/.test(name)) return [new URL(value).host];
    if (name.endsWith('_HOST')) return [`${value}:${env[name.replace(/_HOST$/, '_PORT')]}`];
    return [];
  });
}

/** As the routes name them. */
function backendsOf(microservice: Wire): string[] {
  const text: string | undefined = microservice.spec.config?.data['routes.yaml'];
  return text === undefined ? [] : Object.values(readRoutes(text).backends).map(({ url }) => new URL(url).host);
}

/** Every address that a Service of the shop or of the platform answers at, as services of the shop may write it. */
const addresses = new Set([
  ...ofKind(objects, 'Service').flatMap(({ metadata, spec }) =>
    spec.ports.map(({ port }: Wire) => `${metadata.name}:${port}`),
  ),
  ...microservices.flatMap(({ metadata, spec }) =>
    spec.ports.map((port: Wire) => `${metadata.name}:${port.servicePort ?? port.containerPort}`),
  ),
  ...ofKind(platform, 'Service').flatMap(({ metadata, spec }) =>
    spec.ports.map(({ port }: Wire) => `${metadata.name}.${platformNamespace}.svc:${port}`),
  ),
]);

function secretKeysIn(value: unknown): (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null) return [];
  const node: Wire = value;
  if (node.secretKeyRef) return [[node.secretKeyRef.name, node.secretKeyRef.key]];
  if (node.secret?.items) return node.secret.items.map((item: Wire): [string, string] => [node.secret.name, item.key]);
  if (node.secret?.secretName) return [[node.secret.secretName, 'username']];
  return Object.values(node).flatMap(secretKeysIn);
}

describe('the shop', () => {
  it('is eight Microservices, PostgreSQL and RabbitMQ, in one namespace', () => {
    expect(names(objects, 'Microservice')).toEqual(Object.keys(schemas).sort());
    expect(new Set(objects.slice(1).map(({ metadata }) => metadata.namespace))).toEqual(new Set(['shop']));
  });

  it('makes its namespace first, and has it refuse pods that are not restricted', () => {
    expect(objects[0]).toMatchObject({
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
  });

  it('takes secrets from the Secrets that are made for it, and leaves none unused', () => {
    const used = secretKeysIn(objects);
    for (const [name, key] of used) expect(shopSecrets[name]?.()).toHaveProperty(key);
    expect(new Set(used.map(([name]) => name))).toEqual(new Set(Object.keys(shopSecrets)));
  });
});

describe.each(microservices.map((it): [string, Wire] => [it.metadata.name, it]))('%s', (name, microservice) => {
  const stated = environmentOf(microservice);
  const env = { ...stated, ...addedTo(microservice) };
  const schema = { ...baseConfig, ...telemetryConfig, ...schemas[name] };

  it('gets an environment that it starts with', () => {
    expect(() => readConfig(env, schema)).not.toThrow();
  });

  it('gets no variable that it does not read', () => {
    const read = Object.values(schema).map(({ variable }) => variable);
    expect(Object.keys(stated).filter((variable) => !read.includes(variable))).toEqual([]);
  });

  it('is told only addresses that are there', () => {
    expect([...addressesIn(env), ...backendsOf(microservice)].filter((address) => !addresses.has(address))).toEqual([]);
  });

  it('listens where its ports say', () => {
    const ports = Object.fromEntries(microservice.spec.ports.map((port: Wire) => [port.name, port.containerPort]));
    expect(ports.http).toBe(Number(env.SERVER_PORT));
    expect(ports.grpc).toBe(env.GRPC_PORT === undefined ? undefined : Number(env.GRPC_PORT));
  });

  it('reports under its own name and the version of its image', () => {
    expect(env.OTEL_SERVICE_NAME).toBe(name);
    expect(env.OTEL_RESOURCE_ATTRIBUTES).toContain(`service.version=${env.SERVICE_VERSION},`);
    expect(env.OTEL_TRACES_EXPORTER).toBe('otlp');
    expect(microservice.spec.image).toBe(`ghcr.io/microservice-platform/${name}:${env.SERVICE_VERSION}`);
  });
});

describe('platform and shop together', () => {
  interface Need {
    readonly pods: number;
    readonly resources: Wire;
  }
  // Every Microservice at its largest, and one more pod each for a rollout at the same time.
  const needs: readonly Need[] = [
    ...microservices.map(({ spec }) => ({
      pods: (spec.autoscaling?.maxReplicas ?? spec.replicas) + 1,
      resources: spec.resources,
    })),
    ...[...platform, ...objects]
      .filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind))
      .map(({ spec }) => ({
        pods: spec.replicas,
        resources: spec.template.spec.containers[0].resources,
      })),
  ];
  const sum = (of: (resources: Wire) => string) =>
    needs.reduce((total, { pods, resources }) => total + pods * Number.parseInt(of(resources), 10), 0);

  it('ask for at most 1000 millicores, scaled out and rolled at once: 200 are left for the cluster itself', () => {
    for (const { resources } of needs) expect(resources.requests.cpu).toMatch(/^\d+m$/);
    expect(sum(({ requests }) => requests.cpu)).toBeLessThanOrEqual(1000);
  });

  it('ask for at most 5.75 GiB of memory, scaled out and rolled at once: of 6, the rest is left for the cluster itself', () => {
    for (const { resources } of needs) expect(resources.limits.memory).toMatch(/^\d+Mi$/);
    expect(sum(({ requests }) => requests.memory)).toBeLessThanOrEqual(5.75 * 1024);
  });

  it('scale the product service by its CPU, from two pods on', () => {
    const { autoscaling } = find(objects, 'Microservice', 'product-service').spec;
    expect(autoscaling).toMatchObject({ minReplicas: 2, maxReplicas: 4, cpu: 70 });
  });
});
