import { faults, fieldsOf, requireNone, unknownFields } from './field-faults.ts';
import type { FieldError } from './problem.ts';

/** What goes wrong, where, and for how long. */
export interface Fault {
  /** Where the paths begin that it is about. */
  readonly path: string;
  readonly delay_ms: number;
  /** Of all requests, so many are refused; 1 is all. */
  readonly error_rate: number;
  /** Of all requests, so many are never answered. */
  readonly hang_rate: number;
  readonly seconds: number;
}

const maxDelayMs = 60_000;
const maxSeconds = 3_600;

/** The fault in a body. @throws Problem `invalid_request` naming every faulty field */
export function newFault(body: unknown): Fault {
  const { path = '/', delay_ms = 0, error_rate = 0, hang_rate = 0, seconds, ...rest } = fieldsOf(body);
  const errors = [
    ...faults('path', pathFault(path)),
    ...faults('delay_ms', wholeNumberFault(delay_ms, 0, maxDelayMs)),
    ...faults('error_rate', rateFault(error_rate)),
    ...faults('hang_rate', rateFault(hang_rate)),
    ...faults('seconds', seconds === undefined ? 'is required' : wholeNumberFault(seconds, 1, maxSeconds)),
    ...unknownFields(rest, 'a fault'),
  ];
  if (errors.length === 0) errors.push(...effectFaults(Number(delay_ms), Number(error_rate), Number(hang_rate)));
  requireNone(errors);
  return { path, delay_ms, error_rate, hang_rate, seconds } as Fault;
}

function effectFaults(delayMs: number, errorRate: number, hangRate: number): readonly FieldError[] {
  if (errorRate + hangRate > 1) return faults('hang_rate', 'and error_rate are together more than 1');
  if (delayMs + errorRate + hangRate > 0) return [];
  return faults('delay_ms', 'or error_rate or hang_rate is required: a fault does something');
}

function pathFault(value: unknown): string | undefined {
  return typeof value === 'string' && /^\/[\x21-\x7e]{0,199}$/.test(value)
    ? undefined
    : 'is not the beginning of a path';
}

function wholeNumberFault(value: unknown, min: number, max: number): string | undefined {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return undefined;
  return `is not a whole number from ${min} to ${max}`;
}

function rateFault(value: unknown): string | undefined {
  return typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'is not a number from 0 to 1';
}
