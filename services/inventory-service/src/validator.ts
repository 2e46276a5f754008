import { faults, fieldsOf, isUuid, requireNone, unknownFields } from '@microservice-platform/common';
import type { NewReservation } from './reservations.ts';

/** What an integer column holds. */
const maxProductId = 2_147_483_647;
/** In one request; sums of it stay exact. */
const maxPieces = 1_000_000_000;

/** The product in a path. @throws Problem `invalid_request` when it can be none */
export function productId(text: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  const errors = faults('product_id', numberFault(id, 1, maxProductId));
  requireNone(errors);
  return id;
}

/** The order in a path. @throws Problem `invalid_request` when it is not a UUID */
export function orderId(text: string): string {
  requireNone(faults('order_id', isUuid(text) ? undefined : 'is not a UUID'));
  return text.toLowerCase();
}

/** What shall be available, from a body. @throws Problem `invalid_request` naming every faulty field */
export function newStock(body: unknown): number {
  const { available, ...rest } = fieldsOf(body);
  const errors = [...faults('available', numberFault(available, 0, maxPieces)), ...unknownFields(rest, 'stock')];
  requireNone(errors);
  return available as number;
}

/** What shall be reserved, from a body. @throws Problem `invalid_request` naming every faulty field */
export function newReservation(body: unknown): Omit<NewReservation, 'order_id'> {
  const { product_id, quantity, ...rest } = fieldsOf(body);
  const errors = [
    ...faults('product_id', numberFault(product_id, 1, maxProductId)),
    ...faults('quantity', numberFault(quantity, 1, maxPieces)),
    ...unknownFields(rest, 'a reservation'),
  ];
  requireNone(errors);
  return { product_id, quantity } as Omit<NewReservation, 'order_id'>;
}

function numberFault(value: unknown, min: number, max: number): string | undefined {
  if (value === undefined || value === null) return 'is required';
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return undefined;
  return `is not a whole number from ${min} to ${max}`;
}
