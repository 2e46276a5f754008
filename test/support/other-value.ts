import type { MicroserviceSpec } from '../../operator/src/api/microservice.generated.ts';
import { type Leaf, withPart } from './leaves.ts';

/** Where another value of the same type would be refused: what takes its place. */
const special: readonly (readonly [path: RegExp, other: (value: string) => unknown])[] = [
  [/\.fieldPath$/, (value) => (value === 'metadata.labels' ? 'metadata.annotations' : labelsOr(value))],
  [/nameservers\[\]$|hostAliases\[\]\.ip$/, (value) => value.replace(/\d+$/, (last) => String(Number(last) + 10))],
  [/loadBalancerSourceRanges\[\]$/, () => '172.16.0.0/12'],
  [/volumeMounts\[\]\.name$/, (value) => (value === 'scratch' ? 'files' : 'scratch')],
  [/\.divisor$/, () => '1Ki'],
  [/observability\.metrics\.port$/, () => 'grpc'],
  [/\.availability$/, () => '99.5'],
  [/\.latency\./, () => '500ms'],
];

function labelsOr(value: string): string {
  return value === 'metadata.annotations' ? 'metadata.labels' : 'metadata.uid';
}

/** Where another value takes others with it: the spec with all of them. */
const together: Readonly<Record<string, (spec: MicroserviceSpec) => object>> = {
  'podSecurityContext.seccompProfile.type': () => ({
    podSecurityContext: { seccompProfile: { type: 'RuntimeDefault' } },
  }),
  'rollout.type': () => ({ rollout: { type: 'Recreate' } }),
  'service.type': () => ({ service: {} }),
  'scheduling.tolerations[].operator': ({ scheduling }) => ({
    scheduling: { ...scheduling, tolerations: [{ key: 'dedicated', operator: 'Exists' }] },
  }),
  'scheduling.tolerations[].effect': ({ scheduling }) => ({
    scheduling: { ...scheduling, tolerations: [{ key: 'dedicated', effect: 'NoSchedule' }] },
  }),
  'volumes[].name': ({ volumes = [] }) => ({
    volumes: volumes.map((volume) => ({ ...volume, name: `${volume.name}x` })),
    volumeMounts: [],
    initContainers: [],
    autoscaling: undefined,
  }),
  'autoscaling.metrics[].type': ({ autoscaling }) => ({
    autoscaling: { ...autoscaling, metrics: autoscaling?.metrics?.toReversed() },
  }),
  'observability.metrics.enabled': ({ observability }) => ({
    observability: { tracing: observability?.tracing, metrics: { enabled: false } },
  }),
  'service.sessionAffinity': () => ({ service: { sessionAffinity: 'None' } }),
};

/** The spec with another value at one leaf; one of the same type, and one that the API server is likely to take. */
export function withOtherValue(spec: MicroserviceSpec, leaf: Leaf): MicroserviceSpec {
  const all = together[leaf.path];
  return all ? { ...spec, ...all(spec) } : withPart(spec, leaf.at, otherValue(leaf));
}

function otherValue({ path, schema, value }: Leaf): unknown {
  const other = special.find(([pattern]) => pattern.test(path))?.[1];
  if (other) return other(String(value));
  if (schema.enum) return schema.enum[(schema.enum.indexOf(String(value)) + 1) % schema.enum.length];
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value === schema.maximum ? value - 1 : value + 1;
  const text = String(value);
  return schema['x-kubernetes-int-or-string']
    ? text.replace(/^\d+/, (number) => String(Number(number) + 1))
    : `${text}x`;
}
