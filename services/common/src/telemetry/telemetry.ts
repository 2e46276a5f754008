import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { pino } from 'pino';
import { readConfig } from '../config/config.ts';
import { logOptions } from '../serving/log.ts';
import { samplerOf } from './sampling.ts';
import { countingFates, spanFates } from './span-fates.ts';
import { telemetryConfig } from './telemetry-config.ts';
import { batchOf, traceExporter } from './trace-exporter.ts';

/**
 * Starts OpenTelemetry. Loaded before the service, never by it: `node --import .../telemetry.ts main.ts`.
 * Without it the same code runs untraced.
 */
const config = readConfig(process.env, telemetryConfig);
const log = pino(logOptions({ name: config.serviceName, version: config.version, logLevel: 'info' }));
const exporter = await traceExporter(config, log);

new NodeSDK({
  autoDetectResources: false,
  resource: resourceFromAttributes({
    [ATTR_SERVICE_VERSION]: config.version,
    ...config.resource,
    [ATTR_SERVICE_NAME]: config.serviceName,
  }),
  // Given here, all four, so that the SDK reads neither OTEL_*_EXPORTER nor OTEL_TRACES_SAMPLER itself.
  sampler: samplerOf(config.sampler, config.samplerRatio),
  spanProcessors:
    exporter === undefined
      ? []
      : [new BatchSpanProcessor({ exporter, ...batchOf(config), selfObsMeterProvider: countingFates(spanFates) })],
  metricReaders: [],
  logRecordProcessors: [],
}).start();
