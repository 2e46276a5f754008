import { randomUUID } from 'node:crypto';
import { Problem } from '@microservice-platform/common';
import type { OrderEvent } from '@microservice-platform/common/order-events';
import type { Waiting } from './due.ts';
import type { Degraded, Placed, Recorded } from './events.ts';
import type { KeyedRequest } from './idempotency.ts';
import type { Order, OrderRequest } from './order.ts';
import type { PageRequest } from './validator.ts';

export interface NewOrder extends Placed {
  readonly id: string;
}

export interface Page {
  /** Oldest first. */
  readonly items: readonly Order[];
  /** What to pass as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

export interface Placement {
  readonly order: Order;
  /** True for the answer of an earlier request with the same key; nothing has changed then. */
  readonly replayed: boolean;
}

/** Where orders are kept. */
export interface Orders {
  /** The answer that this request got before. @throws Problem `idempotency_key_reused` */
  readonly before: (request: KeyedRequest) => Promise<Order | undefined>;
  /**
   * Keeps the order, its first step, the news of it and the answer to its request: all, or nothing.
   *
   * @throws Problem `idempotency_key_in_use`, `idempotency_key_reused`
   */
  readonly place: (order: NewOrder, request: KeyedRequest) => Promise<Placement>;
  /** With what it waits for, unless it has ended. */
  readonly find: (id: string) => Promise<(Order & { readonly waiting: Waiting | null }) | undefined>;
  readonly page: (request: PageRequest) => Promise<Page>;
  /** What happened to it, oldest first; nothing when there is no such order. */
  readonly history: (id: string) => Promise<readonly Recorded[]>;
}

/** What is known, and whether that is the last answer of somebody who does not answer now. */
export interface Knowledge<T> {
  readonly value: T;
  readonly stale: boolean;
}

/** What others know. Each throws a Problem `not_found`, or an error that says why nobody could tell. */
export interface Sources {
  readonly product: (id: number) => Promise<Knowledge<{ readonly price: number }>>;
  /** Stale means that nobody could tell whether there is such a user. */
  readonly user: (id: string) => Promise<Knowledge<unknown>>;
}

/** Accepts an order at the price of now, or at the last known one, marked as such. */
export async function placeOrder(
  orders: Orders,
  sources: Sources,
  wanted: OrderRequest,
  request: KeyedRequest,
): Promise<Placement> {
  const before = await orders.before(request);
  if (before !== undefined) return { order: before, replayed: true };
  const [product, user] = await Promise.all([sources.product(wanted.product_id), sources.user(wanted.user_id)]);
  const degraded: Degraded[] = [...(product.stale ? ['price' as const] : []), ...(user.stale ? ['user' as const] : [])];
  const total = totalOf(product.value.price, wanted.quantity);
  return orders.place({ id: randomUUID(), ...wanted, total, degraded }, request);
}

/** @throws Problem `not_found` */
export async function orderById(orders: Orders, id: string) {
  const order = await orders.find(id);
  if (order === undefined) throw new Problem('not_found', `there is no order ${id}`);
  return order;
}

/** @throws Problem `not_found` */
export async function orderHistory(orders: Orders, id: string): Promise<readonly Recorded[]> {
  const history = await orders.history(id);
  if (history.length === 0) throw new Problem('not_found', `there is no order ${id}`);
  return history;
}

/** Price times quantity; exact, since prices have at most two decimals. */
export function totalOf(price: number, quantity: number): number {
  return (Math.round(price * 100) * quantity) / 100;
}

/** What the rest of the shop is told about an order. */
export function orderNews({ id, product_id, quantity, user_id }: Order): OrderEvent {
  return { order_id: id, product_id, quantity, user_id };
}
