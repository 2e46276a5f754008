import { randomUUID } from 'node:crypto';
import type { OrderCreated } from '@microservice-platform/common/order-events';

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
  /**
   * Keeps the notification and the fact that the message with `messageId` was dealt with: both, or neither.
   *
   * @returns false when that message was dealt with before; then nothing changes
   */
  readonly addOnce: (messageId: string, notification: NewNotification) => Promise<boolean>;
  /** Oldest first. */
  readonly ofOrder: (orderId: string) => Promise<readonly Notification[]>;
}

/** What the customer is told about a new order. */
export function orderReceived({ order_id, product_id, quantity, user_id }: OrderCreated): NewNotification {
  const pieces = quantity === 1 ? '1 piece' : `${quantity} pieces`;
  return {
    id: randomUUID(),
    order_id,
    user_id,
    message: `We have received your order of ${pieces} of product ${product_id}.`,
  };
}
