import { baseConfig, databaseConfig, integer, port, registryConfig, text, url } from '@microservice-platform/common';
import { brokerConfig } from '@microservice-platform/common/broker';

export const orderConfig = {
  ...baseConfig,
  ...registryConfig,
  ...databaseConfig,
  ...brokerConfig,
  productHost: text('PRODUCT_SERVICE_HOST'),
  productPort: port('PRODUCT_SERVICE_PORT'),
  userServiceUrl: url('USER_SERVICE_URL'),
  inventoryServiceUrl: url('INVENTORY_SERVICE_URL'),
  paymentServiceUrl: url('PAYMENT_SERVICE_URL'),
  /** How long an order may take to be reserved and paid before it is compensated. */
  orderDeadlineMs: integer('ORDER_DEADLINE_MS', { min: 1_000, max: 3_600_000 }, 60_000),
  /** How long a process may take for one step before another one asks again: longer than any call. */
  stepLeaseMs: integer('ORDER_STEP_LEASE_MS', { min: 1_000, max: 600_000 }, 20_000),
} as const;
