import { baseConfig, databaseConfig, port, text } from '@microservice-platform/common';
import { brokerConfig } from '@microservice-platform/common/broker';

export const orderConfig = {
  ...baseConfig,
  ...databaseConfig,
  ...brokerConfig,
  productHost: text('PRODUCT_SERVICE_HOST'),
  productPort: port('PRODUCT_SERVICE_PORT'),
} as const;
