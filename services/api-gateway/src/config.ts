import { baseConfig, integer, registryConfig, type Setting, text } from '@microservice-platform/common';

/** The environment of the gateway. */
export const gatewayConfig = {
  ...baseConfig,
  ...registryConfig,
  /** Read again whenever it changes. */
  routesFile: text('ROUTES_FILE'),
  /** More requests at once are refused. */
  maxConcurrent: integer('MAX_CONCURRENT', { min: 1, max: 100_000 }, 256),
  /** Where all replicas count requests for the rate limits; without it, each counts alone. */
  redisUrl: redisUrl('REDIS_URL'),
  /** Redis answers within so long, or counts as away. */
  redisTimeoutMs: integer('REDIS_TIMEOUT_MS', { min: 5, max: 1_000 }, 50),
  /** Proxies in front, each of which adds to `X-Forwarded-For` whom it was asked by. */
  trustedProxies: integer('TRUSTED_PROXIES', { min: 0, max: 5 }, 0),
} as const;

/** It may hold a password. */
function redisUrl(variable: string): Setting<string | undefined> {
  return {
    variable,
    secret: true,
    fallback: undefined,
    parse: (given) => {
      const parsed = URL.parse(given);
      if (parsed !== null && ['redis:', 'rediss:'].includes(parsed.protocol) && parsed.hostname !== '') return given;
      throw new Error('is not an address such as redis://redis:6379');
    },
  };
}
