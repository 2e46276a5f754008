import { Problem } from '@microservice-platform/common';
import type { Passwords } from './passwords.ts';
import type { AccessToken, Scope, Tokens } from './tokens.ts';
import type { Users } from './users.ts';

export interface SignIn {
  readonly email: string;
  readonly password: string;
  readonly scopes: readonly Scope[];
}

export interface SignInDeps {
  readonly users: Users;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
}

/**
 * A token for whoever knows the email and the password. Who does not learns nothing more, neither from the answer nor
 * from the time it takes: whether the email is known stays open.
 *
 * @throws Problem `unauthenticated`
 */
export async function signIn(
  { users, passwords, tokens }: SignInDeps,
  { email, password, scopes }: SignIn,
  signal: AbortSignal,
): Promise<AccessToken> {
  const user = await users.credentials(email, signal);
  const matches = await passwords.matches(password, user?.passwordHash);
  if (user === undefined || !matches) throw new Problem('unauthenticated', 'email or password is wrong');
  return tokens(user.id, scopes);
}
