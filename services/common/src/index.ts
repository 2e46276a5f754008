export { SpanKind } from '@opentelemetry/api';
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
export type { Check } from './health.ts';
export type { HttpClient } from './http-client.ts';
export { httpClient } from './http-client.ts';
export type { HttpAnswer, OutgoingRequest } from './http-exchange.ts';
export type { Migration } from './migrations.ts';
export { migrate } from './migrations.ts';
export type { DatabaseSettings, Log } from './postgres.ts';
export { database, ping, query, transaction } from './postgres.ts';
export type { FieldError, ProblemBody, ProblemCode } from './problem.ts';
export { Problem, problemMediaType, problems } from './problem.ts';
export type { ServeOptions } from './serve.ts';
export { serve } from './serve.ts';
export type { ServiceOptions } from './service.ts';
export { service } from './service.ts';
export { extractContext, injectContext, withSpan } from './tracing.ts';
export { UpstreamError } from './upstream-error.ts';
