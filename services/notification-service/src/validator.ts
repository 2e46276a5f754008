import { faults, isUuid, requireNone } from '@microservice-platform/common';

/** The order asked for in a query. @throws Problem `invalid_request` */
export function orderIdOf(query: unknown): string {
  const { order_id } = query as Record<string, unknown>;
  const fault = order_id === undefined ? 'is required' : 'is not a UUID';
  requireNone(faults('order_id', isUuid(order_id) ? undefined : fault));
  return (order_id as string).toLowerCase();
}
