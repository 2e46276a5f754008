import { type FieldError, Problem } from '@microservice-platform/common';

const maxPageSize = 100;

/** The page asked for in a query. @throws Problem `invalid_request` naming every faulty parameter */
export function pageRequest(query: unknown): { readonly after: number; readonly limit: number } {
  const { after, limit } = query as Record<string, unknown>;
  const errors: FieldError[] = [];
  const page = {
    after: wholeNumber(after, { field: 'after', min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 }, errors),
    limit: wholeNumber(limit, { field: 'limit', min: 1, max: maxPageSize, fallback: 20 }, errors),
  };
  if (errors.length > 0)
    throw new Problem('invalid_request', errors.map(({ message }) => message).join('; '), { errors });
  return page;
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
