import { type FieldError, Problem } from '@microservice-platform/common';
import type { NewProduct, PageRequest } from './products.ts';

/** What fits into numeric(12,2). */
const maxPrice = 9_999_999_999.99;
const maxNameLength = 200;
const maxPageSize = 100;

/** The id in a path. @throws Problem `invalid_request` when it is not an integer */
export function productId(text: string): number {
  if (!/^-?\d+$/.test(text)) throw invalid([{ field: 'id', message: 'id is not an integer' }]);
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
  if (errors.length > 0) throw invalid(errors);
  return page;
}

/** How many products a stream reads at a time; 0, which is also a field left out, lets us choose. @throws Problem `invalid_request` */
export function streamPageSize(asked: number): number {
  if (asked === 0) return maxPageSize;
  if (asked > 0 && asked <= maxPageSize) return asked;
  throw invalid([{ field: 'page_size', message: `page_size is not a whole number from 0 to ${maxPageSize}` }]);
}

/** The product in a body. @throws Problem `invalid_request` naming every faulty field */
export function newProduct(body: unknown): NewProduct {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem('invalid_request', 'the body is not a JSON object');
  }
  const { name, price, ...rest } = body as Record<string, unknown>;
  const errors = [
    ...faults('name', nameFault(name)),
    ...faults('price', priceFault(price)),
    ...Object.keys(rest).map((field) => ({ field, message: `${field} is not a field of a new product` })),
  ];
  if (errors.length > 0) throw invalid(errors);
  return { name: (name as string).trim(), price: price as number };
}

function nameFault(name: unknown): string | undefined {
  if (name === undefined || name === null || name === '') return 'name is required';
  if (typeof name !== 'string') return 'name is not a text';
  if (name.trim() === '') return 'name is required';
  if (Array.from(name).length > maxNameLength) return `name is longer than ${maxNameLength} characters`;
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) return 'name holds characters that cannot be shown';
  return undefined;
}

function priceFault(price: unknown): string | undefined {
  if (price === undefined || price === null) return 'price is required';
  if (typeof price !== 'number') return 'price is not a number';
  if (price < 0) return 'price is negative';
  if (price > maxPrice) return `price is greater than ${maxPrice}`;
  if (Math.round(price * 100) / 100 !== price) return 'price has more than two decimals';
  return undefined;
}

function faults(field: string, message: string | undefined): readonly FieldError[] {
  return message === undefined ? [] : [{ field, message }];
}

function wholeNumber(
  value: unknown,
  { field, min, max, fallback }: { field: string; min: number; max: number; fallback: number },
  errors: FieldError[],
): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  errors.push({ field, message: `${field} is not a whole number from ${min} to ${max}` });
  return fallback;
}

function invalid(errors: readonly FieldError[]): Problem {
  return new Problem('invalid_request', errors.map(({ message }) => message).join('; '), { errors });
}
