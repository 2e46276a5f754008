import {
  faults,
  fieldsOf,
  isUuid,
  limitFault,
  requireNone,
  shownTextFault,
  unknownFields,
} from '@microservice-platform/common';
import type { OrderRequest } from './order.ts';

export interface PageRequest {
  readonly limit: number;
  /** The id of the last order of the page before. */
  readonly after: string | undefined;
}

/** The greatest id of a product. */
const maxProductId = 2_147_483_647;
const maxQuantity = 10_000;
const maxUserIdLength = 128;

/** The id in a path. @throws Problem `invalid_request` when it is not a UUID */
export function orderId(text: string): string {
  requireNone(faults('id', isUuid(text) ? undefined : 'is not a UUID'));
  return text.toLowerCase();
}

/** The page asked for in a query. @throws Problem `invalid_request` naming every faulty parameter */
export function pageRequest(query: unknown): PageRequest {
  const { after, limit = '20' } = query as Record<string, unknown>;
  const errors = [...faults('after', afterFault(after)), ...faults('limit', limitFault(limit))];
  requireNone(errors);
  return { after: after as string | undefined, limit: Number(limit) };
}

/** The order in a body. @throws Problem `invalid_request` naming every faulty field */
export function orderRequest(body: unknown): OrderRequest {
  const { product_id, quantity, user_id, ...rest } = fieldsOf(body);
  const errors = [
    ...faults('product_id', numberFault(product_id, maxProductId)),
    ...faults('quantity', numberFault(quantity, maxQuantity)),
    ...faults('user_id', shownTextFault(user_id, maxUserIdLength)),
    ...unknownFields(rest, 'a new order'),
  ];
  requireNone(errors);
  return { product_id, quantity, user_id } as OrderRequest;
}

function numberFault(value: unknown, max: number): string | undefined {
  if (value === undefined || value === null) return 'is required';
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max) return undefined;
  return `is not a whole number from 1 to ${max}`;
}

function afterFault(value: unknown): string | undefined {
  if (value === undefined || isUuid(value)) return undefined;
  return 'is not the id of an order';
}
