export { SpanKind } from '@opentelemetry/api';
export { backoffMs } from './calls/backoff.ts';
export { timeForCall, whileAnswering, withDeadline } from './calls/deadline.ts';
export { codeOf, grpcStatus, problemCodeKey, statusOf } from './calls/grpc-status.ts';
export type { HttpClient } from './calls/http-client.ts';
export { httpClient } from './calls/http-client.ts';
export type { HttpAnswer, OutgoingRequest } from './calls/http-exchange.ts';
export type { CallPolicy } from './calls/resilience.ts';
export { callPolicy, resilience } from './calls/resilience.ts';
export { UpstreamError } from './calls/upstream-error.ts';
export type { ConfigOf, ConfigSchema, Setting } from './config/config.ts';
export {
  baseConfig,
  ConfigError,
  databaseConfig,
  integer,
  oneOf,
  port,
  readConfig,
  secret,
  text,
  url,
} from './config/config.ts';
export { configFiles } from './config/config-files.ts';
export type { ConfigSource } from './config/config-source.ts';
export type { Settings } from './config/config-start.ts';
export { startSettings } from './config/config-start.ts';
export type { Migration } from './database/migrations.ts';
export { migrate } from './database/migrations.ts';
export type { DatabaseSettings, Log } from './database/postgres.ts';
export { database, ping, query, transaction } from './database/postgres.ts';
export type { ServiceDirectory } from './discovery/registry-choice.ts';
export { registryConfig, serviceDirectory } from './discovery/registry-choice.ts';
export { pathOf } from './serving/answers.ts';
export { contractRoute } from './serving/contract.ts';
export { DurationHistogram, durationBuckets } from './serving/duration-histogram.ts';
export {
  faults,
  fieldsOf,
  isUuid,
  limitFault,
  requireNone,
  shownTextFault,
  unknownFields,
  wholeNumber,
} from './serving/field-faults.ts';
export type { Check, Readiness } from './serving/health.ts';
export { unmatchedEndpoint } from './serving/metrics.ts';
export type { EndpointOf } from './serving/observation.ts';
export type { FieldError, ProblemBody, ProblemCode } from './serving/problem.ts';
export { Problem, problemMediaType, problemOf, problems } from './serving/problem.ts';
export type { ServeOptions } from './serving/serve.ts';
export { serve } from './serving/serve.ts';
export type { ServiceOptions } from './serving/service.ts';
export { service } from './serving/service.ts';
export { within } from './serving/timeouts.ts';
export type { Replaced } from './serving/versions.ts';
export { deprecated, versioned } from './serving/versions.ts';
export {
  extractContext,
  failSpan,
  injectContext,
  linksTo,
  withSpan,
} from './telemetry/tracing.ts';
