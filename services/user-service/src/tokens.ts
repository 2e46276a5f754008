import { SignJWT } from 'jose';
import type { TokenKeys } from './token-keys.ts';

export const issuer = 'user-service';
export const audience = 'shop';
/** A token cannot be called back, so it does not live long. */
const lifetimeSeconds = 15 * 60;

/** What a user may do in the shop; a token is for all of it, or for the part that was asked for. */
export const scopes = [
  'products:read',
  'users:read',
  'users:write',
  'orders:read',
  'orders:write',
  'notifications:read',
] as const;
export type Scope = (typeof scopes)[number];

/** The answer to a successful sign-in, in the words of OAuth 2.0 (RFC 6749, section 5.1). */
export interface AccessToken {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
}

/** Issues the token of a user: a JWT signed by ES256, which anyone can verify by the published keys. */
export type Tokens = (userId: string, granted: readonly Scope[]) => Promise<AccessToken>;

export function signedTokens({ signing }: TokenKeys): Tokens {
  return async (userId, granted) => ({
    access_token: await new SignJWT({ scope: granted.join(' ') })
      .setProtectedHeader({ alg: 'ES256', kid: signing.kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime(`${lifetimeSeconds} s`)
      .sign(signing.key),
    token_type: 'Bearer',
    expires_in: lifetimeSeconds,
  });
}
