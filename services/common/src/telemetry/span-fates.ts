import { createNoopMeter, type Meter, type MeterProvider } from '@opentelemetry/api';

/** How many spans ended in each way. `sent`: the collector took them; `failed`: it did not; `dropped`: too many waited. */
export interface SpanFates {
  sent: number;
  failed: number;
  dropped: number;
}

/** Those of this process, which has one exporter: written by telemetry, read by the service's metrics. */
export const spanFates: SpanFates = { sent: 0, failed: 0, dropped: 0 };

/**
 * What the SDK's processor tells its own metrics, as counts. It is the only one who knows that a span was dropped, and
 * it tells nobody else.
 */
export function countingFates(fates: SpanFates): MeterProvider {
  const meter: Meter = Object.create(createNoopMeter(), {
    createCounter: {
      value: () => ({
        add: (count: number, attributes: Readonly<Record<string, unknown>> = {}) => {
          fates[fateOf(attributes['error.type'])] += count;
        },
      }),
    },
  }) as Meter;
  return { getMeter: () => meter };
}

function fateOf(error: unknown): keyof SpanFates {
  if (error === undefined) return 'sent';
  return error === 'queue_full' ? 'dropped' : 'failed';
}
