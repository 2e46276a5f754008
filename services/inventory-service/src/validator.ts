import { type FieldError, Problem } from '@microservice-platform/common';
import type { NewReservation } from './reservations.ts';

/** What an integer column holds. */
const maxProductId = 2_147_483_647;
/** In one request; sums of it stay exact. */
const maxPieces = 1_000_000_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The product in a path. @throws Problem `invalid_request` when it can be none */
export function productId(text: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  const errors = faults('product_id', numberFault(id, 1, maxProductId));
  if (errors.length > 0) throw invalid(errors);
  return id;
}

/** The order in a path. @throws Problem `invalid_request` when it is not a UUID */
export function orderId(text: string): string {
  if (!uuid.test(text)) throw invalid(faults('order_id', 'is not a UUID'));
  return text.toLowerCase();
}

/** What shall be available, from a body. @throws Problem `invalid_request` naming every faulty field */
export function newStock(body: unknown): number {
  const { available, ...rest } = objectOf(body);
  const errors = [...faults('available', numberFault(available, 0, maxPieces)), ...unknownFields(rest, 'stock')];
  if (errors.length > 0) throw invalid(errors);
  return available as number;
}

/** What shall be reserved, from a body. @throws Problem `invalid_request` naming every faulty field */
export function newReservation(body: unknown): Omit<NewReservation, 'order_id'> {
  const { product_id, quantity, ...rest } = objectOf(body);
  const errors = [
    ...faults('product_id', numberFault(product_id, 1, maxProductId)),
    ...faults('quantity', numberFault(quantity, 1, maxPieces)),
    ...unknownFields(rest, 'a reservation'),
  ];
  if (errors.length > 0) throw invalid(errors);
  return { product_id, quantity } as Omit<NewReservation, 'order_id'>;
}

function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new Problem('invalid_request', 'the body is not a JSON object');
}

function numberFault(value: unknown, min: number, max: number): string | undefined {
  if (value === undefined || value === null) return 'is required';
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return undefined;
  return `is not a whole number from ${min} to ${max}`;
}

function unknownFields(rest: Readonly<Record<string, unknown>>, what: string): readonly FieldError[] {
  return Object.keys(rest).flatMap((field) => faults(field, `is not a field of ${what}`));
}

function faults(field: string, fault: string | undefined): readonly FieldError[] {
  return fault === undefined ? [] : [{ field, message: `${field} ${fault}` }];
}

function invalid(errors: readonly FieldError[]): Problem {
  return new Problem('invalid_request', errors.map(({ message }) => message).join('; '), { errors });
}
