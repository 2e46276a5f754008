import { versioned } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { charge, type Payments, paymentOf, paymentPage } from './payments.ts';
import { newPayment, orderId, pageRequest } from './validator.ts';

export interface PaymentRoutes {
  readonly payments: Payments;
  /** What costs more at that moment is declined. */
  readonly limit: () => number;
}

interface OfOrder {
  Params: { order_id: string };
}

/** The REST side of the payment service. PUT and refund may be repeated at will: the order's id makes them one. */
export function paymentRoutes(app: FastifyInstance, { payments, limit }: PaymentRoutes): void {
  versioned(app, 1, (api) => {
    api.get('/payments', async ({ query }) => paymentPage(payments, pageRequest(query)));

    api.get<OfOrder>('/payments/:order_id', async ({ params }) => paymentOf(payments, orderId(params.order_id)));

    api.put<OfOrder>('/payments/:order_id', async ({ params, body }, reply) => {
      const wanted = { order_id: orderId(params.order_id), ...newPayment(body) };
      const { made, payment } = await charge(payments, limit(), wanted);
      return reply.code(made ? 201 : 200).send(payment);
    });

    api.post<OfOrder>('/payments/:order_id/refund', async ({ params }) => payments.refund(orderId(params.order_id)));
  });
}
