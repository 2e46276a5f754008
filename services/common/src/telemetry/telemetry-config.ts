import { type ConfigOf, oneOf, type Setting, text, url } from '../config/config.ts';
import { samplerNames } from './sampling.ts';

/** What is sent, and where. The standard variables of OpenTelemetry, but strict: a bad value is refused, not ignored. */
export const telemetryConfig = {
  serviceName: text('OTEL_SERVICE_NAME'),
  version: text('SERVICE_VERSION', '0.1.0'),
  resource: resourceAttributes('OTEL_RESOURCE_ATTRIBUTES'),
  exporter: oneOf('OTEL_TRACES_EXPORTER', ['otlp', 'jaeger', 'console', 'none'], 'otlp'),
  otlpEndpoint: url('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://localhost:4318'),
  jaegerEndpoint: url('OTEL_EXPORTER_JAEGER_ENDPOINT', 'http://localhost:14268/api/traces'),
  sampler: oneOf('OTEL_TRACES_SAMPLER', samplerNames, 'parentbased_always_on'),
  samplerRatio: share('OTEL_TRACES_SAMPLER_ARG', 1),
} as const;

export type TelemetryConfig = ConfigOf<typeof telemetryConfig>;

/** A number from 0 to 1 in plain decimal digits. */
function share(variable: string, fallback: number): Setting<number> {
  return {
    variable,
    fallback,
    parse: (given) => {
      if (/^\d(\.\d{1,15})?$/.test(given) && Number(given) <= 1) return Number(given);
      throw new Error(`is ${JSON.stringify(given.slice(0, 40))}, not a number from 0 to 1`);
    },
  };
}

/** `key=value` pairs with commas between them, percent-encoded where they hold commas, equal signs or percent signs. */
function resourceAttributes(variable: string): Setting<Readonly<Record<string, string>>> {
  return {
    variable,
    fallback: {},
    parse: (given) => {
      const pairs = given.split(',').filter((pair) => pair.trim() !== '');
      return Object.fromEntries(pairs.map(attributeOf));
    },
  };
}

function attributeOf(pair: string): [string, string] {
  const [key = '', value, ...more] = pair.split('=').map((part) => decoded(part.trim()));
  if (key !== '' && value !== undefined && more.length === 0) return [key, value];
  throw new Error(`has ${JSON.stringify(pair.slice(0, 40))} where key=value is expected, percent-encoded`);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
