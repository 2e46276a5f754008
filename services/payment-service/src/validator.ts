import { type FieldError, Problem } from '@microservice-platform/common';
import type { PaymentRequest } from './payments.ts';

export interface PageRequest {
  readonly limit: number;
  /** The order of the last payment of the page before. */
  readonly after: string | undefined;
}

/** What fits into numeric(16,2). */
const maxAmount = 99_999_999_999_999;
const maxUserIdLength = 128;
const maxPageSize = 100;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The order in a path. @throws Problem `invalid_request` when it is not a UUID */
export function orderId(text: string): string {
  if (!uuid.test(text)) throw invalid(faults('order_id', 'is not a UUID'));
  return text.toLowerCase();
}

/** The page asked for in a query. @throws Problem `invalid_request` naming every faulty parameter */
export function pageRequest(query: unknown): PageRequest {
  const { after, limit = '20' } = query as Record<string, unknown>;
  const errors = [...faults('after', afterFault(after)), ...faults('limit', limitFault(limit))];
  if (errors.length > 0) throw invalid(errors);
  return { after: after as string | undefined, limit: Number(limit) };
}

/** The payment in a body. @throws Problem `invalid_request` naming every faulty field */
export function newPayment(body: unknown): Omit<PaymentRequest, 'order_id'> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem('invalid_request', 'the body is not a JSON object');
  }
  const { user_id, amount, ...rest } = body as Record<string, unknown>;
  const errors = [
    ...faults('user_id', userIdFault(user_id)),
    ...faults('amount', amountFault(amount)),
    ...Object.keys(rest).flatMap((field) => faults(field, 'is not a field of a payment')),
  ];
  if (errors.length > 0) throw invalid(errors);
  return { user_id, amount } as Omit<PaymentRequest, 'order_id'>;
}

function userIdFault(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  if (typeof value !== 'string') return 'is not a text';
  if (value.trim() === '') return 'is required';
  if (Array.from(value).length > maxUserIdLength) return `is longer than ${maxUserIdLength} characters`;
  if (/\p{Cc}/u.test(value) || !value.isWellFormed()) return 'holds characters that cannot be shown';
  return undefined;
}

function amountFault(value: unknown): string | undefined {
  if (value === undefined || value === null) return 'is required';
  if (typeof value !== 'number') return 'is not a number';
  if (value < 0) return 'is negative';
  if (value > maxAmount) return `is greater than ${maxAmount}`;
  if (Number(value.toFixed(2)) !== value) return 'has more than two decimals';
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
