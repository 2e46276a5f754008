import { baseConfig, databaseConfig } from '@microservice-platform/common';
import { brokerConfig } from '@microservice-platform/common/broker';

/** The environment of the notification service. */
export const notificationConfig = { ...baseConfig, ...databaseConfig, ...brokerConfig } as const;
