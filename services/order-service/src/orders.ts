import { randomUUID } from 'node:crypto';
import { Problem } from '@microservice-platform/common';
import type { OrderCreated } from '@microservice-platform/common/order-events';
import type { PageRequest } from './validator.ts';

/** What a customer asks for. */
export interface OrderRequest {
  readonly product_id: number;
  readonly quantity: number;
  readonly user_id: string;
}

export interface NewOrder extends OrderRequest {
  readonly id: string;
  readonly status: 'created';
  /** In the shop's currency, rounded to cents. */
  readonly total: number;
}

export interface Order extends NewOrder {
  /** RFC 3339. */
  readonly created_at: string;
}

export interface Page {
  /** Oldest first. */
  readonly items: readonly Order[];
  /** What to pass as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

/** Where orders are kept. */
export interface Orders {
  /** Keeps the order and the news of it: both, or neither. */
  readonly add: (order: NewOrder) => Promise<Order>;
  readonly find: (id: string) => Promise<Order | undefined>;
  readonly page: (request: PageRequest) => Promise<Page>;
}

/** What is known of the products. */
export interface Catalog {
  /** @throws Problem `not_found`, or a Problem that says why nobody could tell */
  readonly product: (id: number) => Promise<{ readonly price: number }>;
}

/** Accepts an order at the price of now. */
export async function placeOrder(orders: Orders, catalog: Catalog, request: OrderRequest): Promise<Order> {
  const { price } = await catalog.product(request.product_id);
  const total = totalOf(price, request.quantity);
  return orders.add({ id: randomUUID(), ...request, status: 'created', total });
}

/** @throws Problem `not_found` */
export async function orderById(orders: Orders, id: string): Promise<Order> {
  const order = await orders.find(id);
  if (order === undefined) throw new Problem('not_found', `there is no order ${id}`);
  return order;
}

/** Price times quantity; exact, since prices have at most two decimals. */
export function totalOf(price: number, quantity: number): number {
  return (Math.round(price * 100) * quantity) / 100;
}

/** What the rest of the shop is told about a new order. */
export function orderCreated({ id, product_id, quantity, user_id }: NewOrder): OrderCreated {
  return { order_id: id, product_id, quantity, user_id };
}
