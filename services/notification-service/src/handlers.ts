import { versioned } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import type { Notifications } from './notifications.ts';
import { orderIdOf } from './validator.ts';

/** The REST side of the notification service. */
export function notificationRoutes(app: FastifyInstance, notifications: Notifications): void {
  versioned(app, 1, (api) => {
    api.get('/notifications', async ({ query }) => ({ items: await notifications.ofOrder(orderIdOf(query)) }));
  });
}
