import { type FieldError, Problem } from '@microservice-platform/common';
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
const maxPageSize = 100;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id in a path. @throws Problem `invalid_request` when it is not a UUID */
export function orderId(text: string): string {
  if (!uuid.test(text)) throw invalid([{ field: 'id', message: 'id is not a UUID' }]);
  return text.toLowerCase();
}

/** The page asked for in a query. @throws Problem `invalid_request` naming every faulty parameter */
export function pageRequest(query: unknown): PageRequest {
  const { after, limit = '20' } = query as Record<string, unknown>;
  const errors = [...faults('after', afterFault(after)), ...faults('limit', limitFault(limit))];
  if (errors.length > 0) throw invalid(errors);
  return { after: after as string | undefined, limit: Number(limit) };
}

/** The order in a body. @throws Problem `invalid_request` naming every faulty field */
export function orderRequest(body: unknown): OrderRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem('invalid_request', 'the body is not a JSON object');
  }
  const { product_id, quantity, user_id, ...rest } = body as Record<string, unknown>;
  const errors = [
    ...faults('product_id', numberFault(product_id, maxProductId)),
    ...faults('quantity', numberFault(quantity, maxQuantity)),
    ...faults('user_id', userIdFault(user_id)),
    ...Object.keys(rest).flatMap((field) => faults(field, 'is not a field of a new order')),
  ];
  if (errors.length > 0) throw invalid(errors);
  return { product_id, quantity, user_id } as OrderRequest;
}

function numberFault(value: unknown, max: number): string | undefined {
  if (value === undefined || value === null) return 'is required';
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max) return undefined;
  return `is not a whole number from 1 to ${max}`;
}

function userIdFault(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  if (typeof value !== 'string') return 'is not a text';
  if (value.trim() === '') return 'is required';
  if (Array.from(value).length > maxUserIdLength) return `is longer than ${maxUserIdLength} characters`;
  if (/\p{Cc}/u.test(value) || !value.isWellFormed()) return 'holds characters that cannot be shown';
  return undefined;
}

function afterFault(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && uuid.test(value))) return undefined;
  return 'is not the id of an order';
}

function limitFault(value: unknown): string | undefined {
  const number = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : Number.NaN;
  return number >= 1 && number <= maxPageSize ? undefined : `is not a whole number from 1 to ${maxPageSize}`;
}

function faults(field: string, fault: string | undefined): readonly FieldError[] {
  return fault === undefined ? [] : [{ field, message: `${field} ${fault}` }];
}

function invalid(errors: readonly FieldError[]): Problem {
  return new Problem('invalid_request', errors.map(({ message }) => message).join('; '), { errors });
}
