import { versioned } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { type EventStreams, sendEvents } from './event-stream.ts';
import { keyedRequest } from './idempotency.ts';
import { orderById, placeOrder, type Sources } from './orders.ts';
import { orderId, orderRequest, pageRequest } from './validator.ts';

export interface OrderRoutes extends EventStreams {
  readonly sources: Sources;
  /** Told after each new order. */
  readonly onPlaced: () => void;
}

/** The REST side of the order service. */
export function orderRoutes(app: FastifyInstance, { orders, sources, onPlaced, ...streams }: OrderRoutes): void {
  versioned(app, 1, (api) => {
    api.get('/orders', async ({ query }) => orders.page(pageRequest(query)));

    api.get<{ Params: { id: string } }>('/orders/:id', async ({ params }) => orderById(orders, orderId(params.id)));

    api.get<{ Params: { id: string } }>('/orders/:id/events', { exposeHeadRoute: false }, (request, reply) =>
      sendEvents(orderId(request.params.id), request, reply, { orders, ...streams }),
    );

    api.post('/orders', async ({ headers, body }, reply) => {
      const wanted = orderRequest(body);
      const { order, replayed } = await placeOrder(orders, sources, wanted, keyedRequest(headers, wanted));
      if (replayed) reply.header('idempotency-replayed', 'true');
      else onPlaced();
      return reply.code(201).header('location', `/orders/${order.id}`).send(order);
    });
  });
}
