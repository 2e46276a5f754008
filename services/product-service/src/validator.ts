import {
  type FieldError,
  faults,
  fieldsOf,
  requireNone,
  shownTextFault,
  unknownFields,
  wholeNumber,
} from '@microservice-platform/common';
import type { NewProduct, PageRequest } from './products.ts';

/** What fits into numeric(12,2). */
const maxPrice = 9_999_999_999.99;
const maxNameLength = 200;
const maxPageSize = 100;

/** The id in a path. @throws Problem `invalid_request` when it is not an integer */
export function productId(text: string): number {
  requireNone(faults('id', /^-?\d+$/.test(text) ? undefined : 'is not an integer'));
  return Number(text);
}

/** The page asked for in a query. @throws Problem `invalid_request` naming every faulty parameter */
export function pageRequest(query: unknown): PageRequest {
  const { after, limit } = query as Record<string, unknown>;
  const errors: FieldError[] = [];
  const page = {
    after: wholeNumber(after, { field: 'after', min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 }, errors),
    limit: wholeNumber(limit, { field: 'limit', min: 1, max: maxPageSize, fallback: 20 }, errors),
  };
  requireNone(errors);
  return page;
}

/** How many products a stream reads at a time; 0, which is also a field left out, lets us choose. @throws Problem `invalid_request` */
export function streamPageSize(asked: number): number {
  if (asked === 0) return maxPageSize;
  const fits = asked > 0 && asked <= maxPageSize;
  requireNone(faults('page_size', fits ? undefined : `is not a whole number from 0 to ${maxPageSize}`));
  return asked;
}

/** The product in a body. @throws Problem `invalid_request` naming every faulty field */
export function newProduct(body: unknown): NewProduct {
  const { name, price, ...rest } = fieldsOf(body);
  const errors = [
    ...faults('name', shownTextFault(name, maxNameLength)),
    ...faults('price', priceFault(price)),
    ...unknownFields(rest, 'a new product'),
  ];
  requireNone(errors);
  return { name: (name as string).trim(), price: price as number };
}

function priceFault(price: unknown): string | undefined {
  if (price === undefined || price === null) return 'is required';
  if (typeof price !== 'number') return 'is not a number';
  if (price < 0) return 'is negative';
  if (price > maxPrice) return `is greater than ${maxPrice}`;
  if (Math.round(price * 100) / 100 !== price) return 'has more than two decimals';
  return undefined;
}
