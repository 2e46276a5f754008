import type { V1EnvVar } from '@kubernetes/client-node';
import type { Microservice } from '../api/microservice.generated.ts';
import { versionOf } from './image.ts';

/** Facts that only the node knows, as variables of their own, which OTEL_RESOURCE_ATTRIBUTES uses. */
const facts = [
  { name: 'OTEL_RESOURCE_ATTRIBUTES_POD_NAME', attribute: 'k8s.pod.name', fieldPath: 'metadata.name' },
  { name: 'OTEL_RESOURCE_ATTRIBUTES_NODE_NAME', attribute: 'k8s.node.name', fieldPath: 'spec.nodeName' },
] as const;

/**
 * The variables by which OpenTelemetry's libraries send the traces of a service, as spec.observability.tracing asks for them.
 * What the Microservice says itself, in `env` or as variables of `config`, is left to it. They go behind its own variables,
 * so that no name is there twice and each can be used.
 * @param collector takes OTLP over HTTP; without one no traces are sent, unless the Microservice names one itself
 */
export function tracingVariables(ms: Microservice, collector: string | undefined): readonly V1EnvVar[] {
  const tracing = ms.spec.observability?.tracing;
  if (tracing === undefined) return [];
  const stated = statedNames(ms);
  const variables: readonly V1EnvVar[] = [
    { name: 'OTEL_SERVICE_NAME', value: ms.metadata.name },
    ...resource(ms, stated),
    ...exporter(collector, stated),
    ...sampler(tracing.samplePercent ?? 100, stated),
  ];
  return variables.filter(({ name }) => !stated.has(name));
}

/** The name under which its traces are found; one that comes from elsewhere, as from a Secret, is not known here. */
export function serviceNameOf({ metadata, spec: { env = [], config } }: Microservice): string {
  const stated = env.find(({ name }) => name === 'OTEL_SERVICE_NAME');
  const ofConfig = config?.mountPath === undefined ? config?.data.OTEL_SERVICE_NAME : undefined;
  return (stated ? stated.value : ofConfig) ?? metadata.name;
}

/** The variables that the Microservice gives a value. Those of `envFrom` are not known here: `env` wins over them. */
function statedNames({ spec: { env = [], config } }: Microservice): ReadonlySet<string> {
  const ofConfig = config === undefined || config.mountPath !== undefined ? [] : Object.keys(config.data);
  return new Set([...env.map(({ name }) => name), ...ofConfig]);
}

function resource(ms: Microservice, stated: ReadonlySet<string>): V1EnvVar[] {
  if (stated.has('OTEL_RESOURCE_ATTRIBUTES')) return [];
  const { name, namespace } = ms.metadata;
  const ours = facts.filter((fact) => !stated.has(fact.name));
  const attributes = {
    'service.namespace': namespace,
    'service.version': versionOf(ms.spec.image),
    'k8s.namespace.name': namespace,
    'k8s.deployment.name': name,
  };
  const pairs = [
    ...Object.entries(attributes).map(([attribute, value]) => `${attribute}=${attributeText(value)}`),
    ...ours.map((fact) => `${fact.attribute}=$(${fact.name})`),
  ];
  return [
    ...ours.map((fact) => ({
      name: fact.name,
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: fact.fieldPath } },
    })),
    { name: 'OTEL_RESOURCE_ATTRIBUTES', value: pairs.join(',') },
  ];
}

/** A value as OTEL_RESOURCE_ATTRIBUTES takes it: what separates values there, and `$`, as percent and two digits. */
export function attributeText(value: string): string {
  return value.replaceAll(/[^-\w.:/@+]/gu, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

function exporter(collector: string | undefined, stated: ReadonlySet<string>): V1EnvVar[] {
  const own = stated.has('OTEL_EXPORTER_OTLP_ENDPOINT') || stated.has('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  if (own) return [{ name: 'OTEL_TRACES_EXPORTER', value: 'otlp' }];
  if (collector === undefined) return [{ name: 'OTEL_TRACES_EXPORTER', value: 'none' }];
  return [
    { name: 'OTEL_TRACES_EXPORTER', value: 'otlp' },
    { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: collector },
    { name: 'OTEL_EXPORTER_OTLP_PROTOCOL', value: 'http/protobuf' },
  ];
}

/** The sampler and its argument belong together: who states one of them states both. */
function sampler(percent: number | string, stated: ReadonlySet<string>): V1EnvVar[] {
  if (stated.has('OTEL_TRACES_SAMPLER') || stated.has('OTEL_TRACES_SAMPLER_ARG')) return [];
  const share = Number((Number(percent) / 100).toFixed(6));
  if (share === 1) return [{ name: 'OTEL_TRACES_SAMPLER', value: 'parentbased_always_on' }];
  return [
    { name: 'OTEL_TRACES_SAMPLER', value: 'parentbased_traceidratio' },
    { name: 'OTEL_TRACES_SAMPLER_ARG', value: String(share) },
  ];
}
