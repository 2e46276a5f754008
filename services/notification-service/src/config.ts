import { baseConfig, databaseConfig, registryConfig } from '@microservice-platform/common';
import { brokerConfig } from '@microservice-platform/common/broker';

/** The environment of the notification service. */
export const notificationConfig = { ...baseConfig, ...registryConfig, ...databaseConfig, ...brokerConfig } as const;
