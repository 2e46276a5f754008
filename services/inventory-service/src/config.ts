import { baseConfig, databaseConfig, registryConfig } from '@microservice-platform/common';

/** The environment of the inventory service. */
export const inventoryConfig = { ...baseConfig, ...registryConfig, ...databaseConfig } as const;
