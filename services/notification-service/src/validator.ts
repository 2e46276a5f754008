import { Problem } from '@microservice-platform/common';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The order asked for in a query. @throws Problem `invalid_request` */
export function orderIdOf(query: unknown): string {
  const { order_id } = query as Record<string, unknown>;
  if (order_id === undefined) throw invalid('order_id is required');
  if (typeof order_id !== 'string' || !uuid.test(order_id)) throw invalid('order_id is not a UUID');
  return order_id.toLowerCase();
}

function invalid(message: string): Problem {
  return new Problem('invalid_request', message, { errors: [{ field: 'order_id', message }] });
}
