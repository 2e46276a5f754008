import { baseConfig, databaseConfig, registryConfig } from '@microservice-platform/common';
import { brokerConfig } from '@microservice-platform/common/broker';

/** The environment of the analytics service. */
export const analyticsConfig = { ...baseConfig, ...registryConfig, ...databaseConfig, ...brokerConfig } as const;
