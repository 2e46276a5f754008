import type { FastifyInstance } from 'fastify';
import { type Catalog, type Orders, orderById, placeOrder } from './orders.ts';
import { orderId, orderRequest, pageRequest } from './validator.ts';

export interface OrderRoutes {
  readonly orders: Orders;
  readonly catalog: Catalog;
  /** Told after each new order. */
  readonly onPlaced: () => void;
}

/** The REST side of the order service. */
export function orderRoutes(app: FastifyInstance, { orders, catalog, onPlaced }: OrderRoutes): void {
  app.get('/orders', async ({ query }) => orders.page(pageRequest(query)));

  app.get<{ Params: { id: string } }>('/orders/:id', async ({ params }) => orderById(orders, orderId(params.id)));

  app.post('/orders', async ({ body }, reply) => {
    const order = await placeOrder(orders, catalog, orderRequest(body));
    onPlaced();
    return reply.code(201).header('location', `/orders/${order.id}`).send(order);
  });
}
