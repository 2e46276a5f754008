import { versioned } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { type Reservations, reservationOf, reserve } from './reservations.ts';
import { type Stocks, stockOf } from './stock.ts';
import { newReservation, newStock, orderId, productId } from './validator.ts';

interface OfProduct {
  Params: { product_id: string };
}

interface OfOrder {
  Params: { order_id: string };
}

/** How much there is of each product. */
export function stockRoutes(app: FastifyInstance, stocks: Stocks): void {
  versioned(app, 1, (api) => {
    api.get<OfProduct>('/stock/:product_id', async ({ params }) => stockOf(stocks, productId(params.product_id)));

    api.put<OfProduct>('/stock/:product_id', async ({ params, body }, reply) => {
      const { created, stock } = await stocks.set(productId(params.product_id), newStock(body));
      return reply.code(created ? 201 : 200).send(stock);
    });
  });
}

/** What orders have reserved. PUT and release may be repeated at will: the order's id makes them one. */
export function reservationRoutes(app: FastifyInstance, reservations: Reservations): void {
  versioned(app, 1, (api) => {
    api.get<OfOrder>('/reservations/:order_id', async ({ params }) =>
      reservationOf(reservations, orderId(params.order_id)),
    );

    api.put<OfOrder>('/reservations/:order_id', async ({ params, body }, reply) => {
      const wanted = { order_id: orderId(params.order_id), ...newReservation(body) };
      const { made, reservation } = await reserve(reservations, wanted);
      return reply.code(made ? 201 : 200).send(reservation);
    });

    api.post<OfOrder>('/reservations/:order_id/release', async ({ params }) =>
      reservations.release(orderId(params.order_id)),
    );
  });
}
