import { baseConfig, databaseConfig, port, registryConfig } from '@microservice-platform/common';

/** The environment of the product service. */
export const productConfig = {
  ...baseConfig,
  ...registryConfig,
  ...databaseConfig,
  grpcPort: port('GRPC_PORT', 50_051),
} as const;
