import { baseConfig, databaseConfig, integer, registryConfig } from '@microservice-platform/common';

/** The environment of the payment service. */
export const paymentConfig = {
  ...baseConfig,
  ...registryConfig,
  ...databaseConfig,
  /** In the shop's currency. Whatever costs more is declined: with 0, every payment is. */
  paymentLimit: integer('PAYMENT_LIMIT', { min: 0, max: 1_000_000_000 }, 10_000),
} as const;
