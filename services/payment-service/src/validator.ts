import {
  faults,
  fieldsOf,
  isUuid,
  limitFault,
  requireNone,
  shownTextFault,
  unknownFields,
} from '@microservice-platform/common';
import type { PaymentRequest } from './payments.ts';

export interface PageRequest {
  readonly limit: number;
  /** The order of the last payment of the page before. */
  readonly after: string | undefined;
}

/** What fits into numeric(16,2). */
const maxAmount = 99_999_999_999_999;
const maxUserIdLength = 128;

/** The order in a path. @throws Problem `invalid_request` when it is not a UUID */
export function orderId(text: string): string {
  requireNone(faults('order_id', isUuid(text) ? undefined : 'is not a UUID'));
  return text.toLowerCase();
}

/** The page asked for in a query. @throws Problem `invalid_request` naming every faulty parameter */
export function pageRequest(query: unknown): PageRequest {
  const { after, limit = '20' } = query as Record<string, unknown>;
  const errors = [...faults('after', afterFault(after)), ...faults('limit', limitFault(limit))];
  requireNone(errors);
  return { after: after as string | undefined, limit: Number(limit) };
}

/** The payment in a body. @throws Problem `invalid_request` naming every faulty field */
export function newPayment(body: unknown): Omit<PaymentRequest, 'order_id'> {
  const { user_id, amount, ...rest } = fieldsOf(body);
  const errors = [
    ...faults('user_id', shownTextFault(user_id, maxUserIdLength)),
    ...faults('amount', amountFault(amount)),
    ...unknownFields(rest, 'a payment'),
  ];
  requireNone(errors);
  return { user_id, amount } as Omit<PaymentRequest, 'order_id'>;
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
  if (value === undefined || isUuid(value)) return undefined;
  return 'is not the id of an order';
}
