import { Problem } from '@microservice-platform/common';
import type { PageRequest } from './validator.ts';

/** What a user is to pay for an order. */
export interface PaymentRequest {
  readonly order_id: string;
  readonly user_id: string;
  /** In the shop's currency: more than zero, at most two decimals. */
  readonly amount: number;
}

export interface NewPayment extends PaymentRequest {
  readonly status: 'charged' | 'declined';
}

export interface Payment {
  readonly order_id: string;
  /** Null when the order was refunded before anything was charged for it. */
  readonly user_id: string | null;
  readonly amount: number;
  readonly status: 'charged' | 'declined' | 'refunded';
  /** RFC 3339. */
  readonly created_at: string;
  /** RFC 3339; null unless refunded. */
  readonly refunded_at: string | null;
}

/** Where payments are kept. */
export interface Payments {
  readonly find: (orderId: string) => Promise<Payment | undefined>;
  /** At most `count` payments whose order is greater than `after`, by ascending order id. */
  readonly following: (after: string | undefined, count: number) => Promise<readonly Payment[]>;
  /** Of an order that is known already nothing changes: then what is kept of it is returned, and `made` is false. */
  readonly addOnce: (payment: NewPayment) => Promise<{ readonly made: boolean; readonly payment: Payment }>;
  /**
   * Marks what was charged as refunded. Of a declined payment there is nothing to give back: it stays declined.
   * An order never seen is kept as refunded, with the amount 0.
   */
  readonly refund: (orderId: string) => Promise<Payment>;
}

export interface Page {
  readonly items: readonly Payment[];
  /** What to pass as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

/**
 * Charges for an order, once. What became of it is kept: asking again for the same answers the same, also a decline.
 * Once refunded, also before it was charged, an order is never charged again, so that a request that was held up
 * cannot take money for an order that was given up.
 *
 * @throws Problem `payment_declined` above the limit, or `conflict`
 */
export async function charge(
  payments: Payments,
  limit: number,
  wanted: PaymentRequest,
): Promise<{ readonly made: boolean; readonly payment: Payment }> {
  const status = wanted.amount > limit ? 'declined' : 'charged';
  const { made, payment } = await payments.addOnce({ ...wanted, status });
  const { order_id } = wanted;
  if (payment.status === 'refunded') {
    throw new Problem('conflict', `order ${order_id} was refunded and is not charged any more`);
  }
  if (payment.user_id !== wanted.user_id || payment.amount !== wanted.amount) {
    throw new Problem('conflict', `order ${order_id} has another payment, of another user or amount`);
  }
  if (payment.status === 'declined') {
    throw new Problem('payment_declined', `the payment of order ${order_id} was declined: it is above the limit`);
  }
  return { made, payment };
}

/** @throws Problem `not_found` */
export async function paymentOf(payments: Payments, orderId: string): Promise<Payment> {
  const payment = await payments.find(orderId);
  if (payment === undefined) throw new Problem('not_found', `there is no payment of order ${orderId}`);
  return payment;
}

/** One page of all payments. Paging by id stays right while payments are added. */
export async function paymentPage(payments: Payments, { after, limit }: PageRequest): Promise<Page> {
  const found = await payments.following(after, limit + 1);
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? (items.at(-1)?.order_id ?? null) : null };
}
