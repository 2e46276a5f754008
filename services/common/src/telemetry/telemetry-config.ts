import { type ConfigOf, oneOf, text, url } from '../config/config.ts';

/** Where spans go. The standard variables of OpenTelemetry, but strict: a bad value is refused, not ignored. */
export const telemetryConfig = {
  serviceName: text('OTEL_SERVICE_NAME'),
  version: text('SERVICE_VERSION', '0.1.0'),
  exporter: oneOf('OTEL_TRACES_EXPORTER', ['otlp', 'jaeger', 'console', 'none'], 'otlp'),
  otlpEndpoint: url('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://localhost:4318'),
  jaegerEndpoint: url('OTEL_EXPORTER_JAEGER_ENDPOINT', 'http://localhost:14268/api/traces'),
} as const;

export type TelemetryConfig = ConfigOf<typeof telemetryConfig>;
