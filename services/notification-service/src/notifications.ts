import { randomUUID } from 'node:crypto';
import type { OrderEvent } from '@microservice-platform/common/order-events';

export interface NewNotification {
  readonly id: string;
  readonly order_id: string;
  readonly user_id: string;
  readonly message: string;
}

export interface Notification extends NewNotification {
  /** RFC 3339. */
  readonly created_at: string;
}

/** Where notifications are kept. */
export interface Notifications {
  /** Oldest first. */
  readonly ofOrder: (orderId: string) => Promise<readonly Notification[]>;
}

/** What the customer is told about a new order. */
export function orderReceived({ order_id, product_id, quantity, user_id }: OrderEvent): NewNotification {
  const pieces = quantity === 1 ? '1 piece' : `${quantity} pieces`;
  return {
    id: randomUUID(),
    order_id,
    user_id,
    message: `We have received your order of ${pieces} of product ${product_id}.`,
  };
}
