import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

/** The names that OpenTelemetry has for ways to choose which traces are kept; the first part says who decides. */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type SamplerName = (typeof samplerNames)[number];

/** The sampler of that name. `ratio` is the share of new traces that are kept; only the ratio samplers use it. */
export function samplerOf(name: SamplerName, ratio: number): Sampler {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: samplerOf('always_on', ratio) });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: samplerOf('always_off', ratio) });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: samplerOf('traceidratio', ratio) });
  }
}
