import { type FieldError, requireNone, wholeNumber } from '@microservice-platform/common';

const maxPageSize = 100;

/** The page asked for in a query. @throws Problem `invalid_request` naming every faulty parameter */
export function pageRequest(query: unknown): { readonly after: number; readonly limit: number } {
  const { after, limit } = query as Record<string, unknown>;
  const errors: FieldError[] = [];
  const page = {
    after: wholeNumber(after, { field: 'after', min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 }, errors),
    limit: wholeNumber(limit, { field: 'limit', min: 1, max: maxPageSize, fallback: 20 }, errors),
  };
  requireNone(errors);
  return page;
}
