export { SpanKind } from '@opentelemetry/api';
export { pathOf } from './answers.ts';
export { backoffMs } from './backoff.ts';
export type { ConfigOf, ConfigSchema, Setting } from './config.ts';
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
} from './config.ts';
export { configFiles } from './config-files.ts';
export type { ConfigSource } from './config-source.ts';
export { KeyNotFound } from './config-source.ts';
export type { Settings } from './config-start.ts';
export { startSettings } from './config-start.ts';
export { contractRoute } from './contract.ts';
export { timeForCall, whileAnswering, withDeadline } from './deadline.ts';
export {
  faults,
  fieldsOf,
  isUuid,
  limitFault,
  requireNone,
  shownTextFault,
  unknownFields,
  wholeNumber,
} from './field-faults.ts';
export { codeOf, grpcStatus, problemCodeKey, statusOf } from './grpc-status.ts';
export type { Check, Readiness } from './health.ts';
export type { HttpClient } from './http-client.ts';
export { httpClient } from './http-client.ts';
export type { HttpAnswer, OutgoingRequest } from './http-exchange.ts';
export { unmatchedEndpoint } from './metrics.ts';
export type { Migration } from './migrations.ts';
export { migrate } from './migrations.ts';
export type { EndpointOf } from './observation.ts';
export type { DatabaseSettings, Log } from './postgres.ts';
export { database, ping, query, transaction } from './postgres.ts';
export type { FieldError, ProblemBody, ProblemCode } from './problem.ts';
export { Problem, problemMediaType, problemOf, problems } from './problem.ts';
export type { ServiceDirectory } from './registry-choice.ts';
export { registryConfig, serviceDirectory } from './registry-choice.ts';
export type { CallPolicy } from './resilience.ts';
export { callPolicy, resilience } from './resilience.ts';
export type { ServeOptions } from './serve.ts';
export { serve } from './serve.ts';
export type { ServiceOptions } from './service.ts';
export { service } from './service.ts';
export { within } from './timeouts.ts';
export { extractContext, failSpan, injectContext, withSpan } from './tracing.ts';
export { UpstreamError } from './upstream-error.ts';
export type { Replaced } from './versions.ts';
export { deprecated, versioned } from './versions.ts';
