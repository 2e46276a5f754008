import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { readConfig } from '../config/config.ts';
import { telemetryConfig } from './telemetry-config.ts';
import { batchOf, traceExporter } from './trace-exporter.ts';

/**
 * Starts OpenTelemetry. Loaded before the service, never by it: `node --import .../telemetry.ts main.ts`.
 * Without it the same code runs untraced.
 */
const config = readConfig(process.env, telemetryConfig);
const exporter = await traceExporter(config);

new NodeSDK({
  autoDetectResources: false,
  resource: resourceFromAttributes({
    [ATTR_SERVICE_NAME]: config.serviceName,
    [ATTR_SERVICE_VERSION]: config.version,
  }),
  // Given here, all three, so that the SDK reads none of OTEL_*_EXPORTER itself.
  spanProcessors: exporter === undefined ? [] : [new BatchSpanProcessor({ exporter, ...batchOf(config) })],
  metricReaders: [],
  logRecordProcessors: [],
}).start();
