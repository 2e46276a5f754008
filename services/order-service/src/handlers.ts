import { versioned } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { keyedRequest } from './idempotency.ts';
import { type Orders, orderById, placeOrder, type Sources } from './orders.ts';
import { orderId, orderRequest, pageRequest } from './validator.ts';

export interface OrderRoutes {
  readonly orders: Orders;
  readonly sources: Sources;
  /** Told after each new order. */
  readonly onPlaced: () => void;
}

/** The REST side of the order service. */
export function orderRoutes(app: FastifyInstance, { orders, sources, onPlaced }: OrderRoutes): void {
  versioned(app, 1, (api) => {
    api.get('/orders', async ({ query }) => orders.page(pageRequest(query)));

    api.get<{ Params: { id: string } }>('/orders/:id', async ({ params }) => orderById(orders, orderId(params.id)));

    api.post('/orders', async ({ headers, body }, reply) => {
      const wanted = orderRequest(body);
      const { order, replayed } = await placeOrder(orders, sources, wanted, keyedRequest(headers, wanted));
      if (replayed) reply.header('idempotency-replayed', 'true');
      else onPlaced();
      return reply.code(201).header('location', `/orders/${order.id}`).send(order);
    });
  });
}
