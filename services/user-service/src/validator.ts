import {
  faults,
  fieldsOf,
  isUuid,
  limitFault,
  requireNone,
  shownTextFault,
  unknownFields,
} from '@microservice-platform/common';
import type { SignIn } from './sign-in.ts';
import { type Scope, scopes } from './tokens.ts';
import type { NewUser, PageRequest, UserDetails } from './users.ts';

/** Lengths are in characters as Unicode and the database count them, not in units of UTF-16. */
const maxNameLength = 200;
const maxEmailLength = 254;
/** In characters, whatever they are; rules about kinds of them only make passwords easier to guess. */
const passwordLength = { min: 8, max: 200 };
/** ASCII only: what is beyond it has capitals that depend on the country, and twins that look the same. */
const address = /^[!-?A-~]+@[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;

/** The id in a path. @throws Problem `invalid_request` when it is not a UUID */
export function userId(text: string): string {
  requireNone(faults('id', isUuid(text) ? undefined : 'is not a UUID'));
  return text.toLowerCase();
}

/** The page asked for in a query. @throws Problem `invalid_request` naming every faulty parameter */
export function pageRequest(query: unknown): PageRequest {
  const { after, limit = '20' } = query as Record<string, unknown>;
  const errors = [...faults('after', afterFault(after)), ...faults('limit', limitFault(limit))];
  requireNone(errors);
  return { after: after as string | undefined, limit: Number(limit) };
}

/** The user in a body, with a password or without. @throws Problem `invalid_request` naming every faulty field */
export function newUser(body: unknown): NewUser {
  const { name, email, password, ...rest } = fieldsOf(body);
  const errors = [
    ...faults('name', shownTextFault(name, maxNameLength)),
    ...faults('email', emailFault(email)),
    ...faults('password', passwordFault(password)),
    ...unknownFields(rest, 'a new user'),
  ];
  requireNone(errors);
  return { name: (name as string).trim(), email: email as string, password: password as string | undefined };
}

/** What is to replace the details of a user. @throws Problem `invalid_request` naming every faulty field */
export function userDetails(body: unknown): UserDetails {
  const { name, email, ...rest } = fieldsOf(body);
  const errors = [
    ...faults('name', shownTextFault(name, maxNameLength)),
    ...faults('email', emailFault(email)),
    ...unknownFields(rest, "a user's details"),
  ];
  requireNone(errors);
  return { name: (name as string).trim(), email: email as string };
}

/**
 * Email, password and scopes in a body. Whether email and password could be anybody's is not judged here.
 *
 * @throws Problem `invalid_request` naming every faulty field
 */
export function signInRequest(body: unknown): SignIn {
  const { email, password, scope, ...rest } = fieldsOf(body);
  const errors = [
    ...faults('email', textFault(email)),
    ...faults('password', textFault(password)),
    ...faults('scope', scopeFault(scope)),
    ...unknownFields(rest, 'a sign-in'),
  ];
  requireNone(errors);
  const asked = scope === undefined ? scopes : ([...new Set((scope as string).split(' '))] as Scope[]);
  return { email: email as string, password: password as string, scopes: asked };
}

function textFault(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  if (typeof value !== 'string') return 'is not a text';
  if (value.includes('\0') || !value.isWellFormed()) return 'holds characters that no text has';
  return undefined;
}

function emailFault(email: unknown): string | undefined {
  if (email === undefined || email === null || email === '') return 'is required';
  if (typeof email !== 'string') return 'is not a text';
  if (email.length > maxEmailLength) return `is longer than ${maxEmailLength} characters`;
  return address.test(email) ? undefined : 'is not an address such as name@example.com';
}

function passwordFault(password: unknown): string | undefined {
  if (password === undefined) return undefined;
  if (typeof password !== 'string') return 'is not a text';
  const { min, max } = passwordLength;
  const { length } = Array.from(password);
  if (length < min || length > max) return `does not have ${min} to ${max} characters`;
  return textFault(password);
}

function scopeFault(scope: unknown): string | undefined {
  if (scope === undefined) return undefined;
  const known: readonly string[] = scopes;
  if (typeof scope === 'string' && scope.split(' ').every((it) => known.includes(it))) return undefined;
  return `is not a list, with spaces between, of ${scopes.join(', ')}`;
}

function afterFault(value: unknown): string | undefined {
  return value === undefined || isUuid(value) ? undefined : 'is not a UUID';
}
