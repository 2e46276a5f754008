import type { V1EnvVar } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MicroserviceSpec } from '../../../operator/src/api/microservice.generated.ts';
import { podSpec } from '../../../operator/src/desired/pod.ts';
import { attributeText, serviceNameOf, tracingVariables } from '../../../operator/src/desired/tracing.ts';
import { validSpecs } from '../../support/arbitrary-spec.ts';
import { microservice } from '../../support/microservice.ts';

const collector = 'http://jaeger.platform.svc:4318';

/** The variables of the service's container, by name. */
function variablesOf(spec: Partial<MicroserviceSpec>, to: string | undefined = collector): Record<string, V1EnvVar> {
  const ms = microservice({ spec: { observability: { tracing: {} }, ...spec } });
  const { env = [] } = podSpec(ms, to).containers[0] ?? {};
  return Object.fromEntries(env.map((variable) => [variable.name, variable]));
}

const valuesOf = (...args: Parameters<typeof variablesOf>) =>
  Object.fromEntries(Object.entries(variablesOf(...args)).map(([name, { value }]) => [name, value]));

describe('a service that asks for tracing', () => {
  it('is told its name, where its traces go, and that all are kept', () => {
    expect(valuesOf({})).toEqual({
      OTEL_SERVICE_NAME: 'orders',
      OTEL_RESOURCE_ATTRIBUTES_POD_NAME: undefined,
      OTEL_RESOURCE_ATTRIBUTES_NODE_NAME: undefined,
      OTEL_RESOURCE_ATTRIBUTES: [
        'service.namespace=shop',
        'service.version=1.4.2',
        'k8s.namespace.name=shop',
        'k8s.deployment.name=orders',
        'k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)',
        'k8s.node.name=$(OTEL_RESOURCE_ATTRIBUTES_NODE_NAME)',
      ].join(','),
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
    });
  });

  it('knows its pod and its node before the variable that uses them', () => {
    const variables = variablesOf({});
    const names = Object.keys(variables);
    expect(variables.OTEL_RESOURCE_ATTRIBUTES_POD_NAME?.valueFrom?.fieldRef?.fieldPath).toBe('metadata.name');
    expect(variables.OTEL_RESOURCE_ATTRIBUTES_NODE_NAME?.valueFrom?.fieldRef?.fieldPath).toBe('spec.nodeName');
    expect(names.indexOf('OTEL_RESOURCE_ATTRIBUTES')).toBeGreaterThan(
      Math.max(...['POD', 'NODE'].map((fact) => names.indexOf(`OTEL_RESOURCE_ATTRIBUTES_${fact}_NAME`))),
    );
  });

  it.each([
    [100, 'parentbased_always_on', undefined],
    ['100', 'parentbased_always_on', undefined],
    [0, 'parentbased_traceidratio', '0'],
    [10, 'parentbased_traceidratio', '0.1'],
    ['0.1', 'parentbased_traceidratio', '0.001'],
    ['0.0001', 'parentbased_traceidratio', '0.000001'],
  ] as const)('keeps %s percent of its traces by %s', (samplePercent, sampler, argument) => {
    const values = valuesOf({ observability: { tracing: { samplePercent } } });
    expect([values.OTEL_TRACES_SAMPLER, values.OTEL_TRACES_SAMPLER_ARG]).toEqual([sampler, argument]);
  });

  it('sends nothing where nobody takes traces, unless it says itself who does', () => {
    const nowhere = Object.fromEntries(
      tracingVariables(microservice({ spec: { observability: { tracing: {} } } }), undefined).map((it) => [
        it.name,
        it.value,
      ]),
    );
    expect(nowhere.OTEL_TRACES_EXPORTER).toBe('none');
    expect(nowhere).not.toHaveProperty('OTEL_EXPORTER_OTLP_ENDPOINT');
    const env = [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' }];
    const own = valuesOf({ env });
    expect(own).toMatchObject({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' });
    expect(own).not.toHaveProperty('OTEL_EXPORTER_OTLP_PROTOCOL');
  });

  it('keeps what env or config say themselves, and says nothing half: sampler and argument, attributes and their facts', () => {
    const env = [
      { name: 'OTEL_TRACES_SAMPLER', value: 'always_off' },
      { name: 'OTEL_RESOURCE_ATTRIBUTES', value: 'a=b' },
    ];
    const config = { data: { OTEL_SERVICE_NAME: 'other' } };
    expect(valuesOf({ env, config, observability: { tracing: { samplePercent: 10 } } })).toEqual({
      OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_RESOURCE_ATTRIBUTES: 'a=b',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    });
    // As files they are no variables.
    expect(valuesOf({ config: { ...config, mountPath: '/etc/orders' } }).OTEL_SERVICE_NAME).toBe('orders');
  });

  it('leaves out a fact of which the variable is the service’s own', () => {
    const env = [{ name: 'OTEL_RESOURCE_ATTRIBUTES_POD_NAME', value: 'mine' }];
    expect(valuesOf({ env }).OTEL_RESOURCE_ATTRIBUTES).not.toContain('k8s.pod.name');
    expect(valuesOf({ env }).OTEL_RESOURCE_ATTRIBUTES).toContain('k8s.node.name=$(OTEL_RESOURCE_ATTRIBUTES_NODE_NAME)');
  });

  it('says nothing to its init containers', () => {
    const initContainers = [{ name: 'migrate', image: 'a' }];
    const pod = podSpec(microservice({ spec: { initContainers, observability: { tracing: {} } } }), collector);
    expect(pod.initContainers?.[0]).not.toHaveProperty('env');
  });

  it('never has a variable twice, whatever else is asked for', () => {
    fc.assert(
      fc.property(validSpecs, fc.option(fc.constant(collector), { nil: undefined }), (spec, to) => {
        const pod = podSpec(
          microservice({ spec: { ...spec, observability: { tracing: {}, ...spec.observability } } }),
          to,
        );
        for (const { env = [] } of [...(pod.initContainers ?? []), ...pod.containers]) {
          expect(new Set(env.map(({ name }) => name)).size).toBe(env.length);
        }
      }),
    );
  });
});

it('a service that does not ask for tracing gets no variable for it', () => {
  const { env } = podSpec(microservice({ spec: { observability: { metrics: {} } } }), collector).containers[0] ?? {};
  expect(env).toBeUndefined();
});

it.each([
  ['1.4.2', '1.4.2'],
  ['sha256:0123', 'sha256:0123'],
  ['a,b=c', 'a%2Cb%3Dc'],
  ['100% $(A)', '100%25%20%24%28A%29'],
  ['ä', '%C3%A4'],
])('writes the attribute %s as %s, which decodes to it again', (value, text) => {
  expect(attributeText(value)).toBe(text);
  expect(decodeURIComponent(text)).toBe(value);
});

it.each([
  [{}, 'orders'],
  [{ env: [{ name: 'OTEL_SERVICE_NAME', value: 'other' }] }, 'other'],
  [{ config: { data: { OTEL_SERVICE_NAME: 'other' } } }, 'other'],
  [{ config: { data: { OTEL_SERVICE_NAME: 'other' }, mountPath: '/etc/orders' } }, 'orders'],
] as const)('finds the traces of %j under %s', (spec, name) => {
  expect(serviceNameOf(microservice({ spec }))).toBe(name);
});
