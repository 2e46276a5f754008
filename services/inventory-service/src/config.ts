import { baseConfig, databaseConfig } from '@microservice-platform/common';

/** The environment of the inventory service. */
export const inventoryConfig = { ...baseConfig, ...databaseConfig } as const;
