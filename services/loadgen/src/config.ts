import { baseConfig, integer, url } from '@microservice-platform/common';

/** The environment of the load generator. */
export const loadgenConfig = {
  ...baseConfig,
  gatewayUrl: url('GATEWAY_URL'),
  /** Requests a second. */
  rate: integer('RATE', { min: 1, max: 2_000 }, 5),
  seed: integer('SEED', { min: 0, max: 4_294_967_295 }, 1),
  /** 0: until it is stopped. */
  durationSeconds: integer('DURATION_SECONDS', { min: 0, max: 86_400 }, 0),
  maxInFlight: integer('MAX_IN_FLIGHT', { min: 1, max: 10_000 }, 500),
} as const;
