import { type FieldError, Problem } from './problem.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const maxPageSize = 100;

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && uuid.test(value);
}

/** What is wrong with a field, as an answer has it: `fault` goes on where the field's name ends. None without a fault. */
export function faults(field: string, fault: string | undefined): readonly FieldError[] {
  return fault === undefined ? [] : [{ field, message: `${field} ${fault}` }];
}

/** Each field that is left over, as a fault: `what` says of what it is no field. */
export function unknownFields(rest: Readonly<Record<string, unknown>>, what: string): readonly FieldError[] {
  return Object.keys(rest).flatMap((field) => faults(field, `is not a field of ${what}`));
}

/** @throws Problem `invalid_request` naming every fault, when there is one */
export function requireNone(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  throw new Problem('invalid_request', errors.map(({ message }) => message).join('; '), { errors });
}

/** The fields of a body. @throws Problem `invalid_request` when it has none */
export function fieldsOf(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new Problem('invalid_request', 'the body is not a JSON object');
}

/** What is wrong with a text that people see: at most `maxLength` characters as Unicode and the database count them. */
export function shownTextFault(value: unknown, maxLength: number): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  if (typeof value !== 'string') return 'is not a text';
  if (value.trim() === '') return 'is required';
  if (Array.from(value).length > maxLength) return `is longer than ${maxLength} characters`;
  if (/\p{Cc}/u.test(value) || !value.isWellFormed()) return 'holds characters that cannot be shown';
  return undefined;
}

/** What is wrong with the `limit` of a page, as a query has it. */
export function limitFault(value: unknown): string | undefined {
  const number = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : Number.NaN;
  return number >= 1 && number <= maxPageSize ? undefined : `is not a whole number from 1 to ${maxPageSize}`;
}

/** A whole number as a query has it, or `fallback` without one; what is wrong with it goes to `errors`. */
export function wholeNumber(
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
