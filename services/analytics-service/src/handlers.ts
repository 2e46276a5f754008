import { versioned } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { type Counts, countsPage } from './product-counts.ts';
import { pageRequest } from './validator.ts';

/** The REST side of the analytics service. */
export function analyticsRoutes(app: FastifyInstance, counts: Counts): void {
  versioned(app, 1, (api) => {
    api.get('/analytics/products', async ({ query }) => countsPage(counts, pageRequest(query)));
  });
}
