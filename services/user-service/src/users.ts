import { Problem } from '@microservice-platform/common';

/** What a user can change. */
export interface UserDetails {
  readonly name: string;
  /** Nobody else has it, however it is written in capitals and small letters. */
  readonly email: string;
}

export interface NewUser extends UserDetails {
  /** A user without one cannot sign in. */
  readonly password: string | undefined;
}

export interface User extends UserDetails {
  readonly id: string;
  readonly created_at: string;
}

/** Where users are kept. Once the signal aborts, nobody waits for the answer, and what is under way is cancelled. */
export interface Users {
  readonly find: (id: string, signal: AbortSignal) => Promise<User | undefined>;
  /** At most `count` users whose id is greater than `after`, by ascending id; from the first one when there is none. */
  readonly following: (after: string | undefined, count: number, signal: AbortSignal) => Promise<readonly User[]>;
  /** @throws Problem `conflict` when someone has the email */
  readonly add: (details: UserDetails, passwordHash: string | undefined, signal: AbortSignal) => Promise<User>;
  /** Undefined when there is no such user. @throws Problem `conflict` when someone else has the email */
  readonly replace: (id: string, details: UserDetails, signal: AbortSignal) => Promise<User | undefined>;
  /** The user that was removed; undefined when there is no such user. */
  readonly remove: (id: string, signal: AbortSignal) => Promise<User | undefined>;
  /** Who has the email, and what is kept of the password. */
  readonly credentials: (email: string, signal: AbortSignal) => Promise<Credentials | undefined>;
}

export interface Credentials {
  readonly id: string;
  readonly passwordHash: string | undefined;
}

export interface PageRequest {
  readonly limit: number;
  /** The id of the last user of the page before. */
  readonly after: string | undefined;
}

export interface Page {
  readonly items: readonly User[];
  /** What to pass as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

/** What was found of the user. @throws Problem `not_found` when it is nothing */
export function existing<T>(id: string, found: T | undefined): T {
  if (found === undefined) throw new Problem('not_found', `there is no user ${id}`);
  return found;
}

/** One page of all users. Paging by id stays right while users come and go. */
export async function userPage(users: Users, { after, limit }: PageRequest, signal: AbortSignal): Promise<Page> {
  const found = await users.following(after, limit + 1, signal);
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}
