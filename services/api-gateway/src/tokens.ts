import { errors, type JWTPayload, jwtVerify } from 'jose';
import { NoKeys, type SigningKeys } from './signing-keys.ts';

/** Who asks, as the token says. */
export interface Caller {
  readonly subject: string;
  readonly scopes: readonly string[];
}

/** Why nobody is let in by this token. What was wrong with it is not told, but that its time is over. */
export class BadToken extends Error {
  override readonly name = 'BadToken';
  readonly expired: boolean;

  constructor(expired: boolean) {
    super(expired ? 'the token has expired' : 'the token is not valid');
    this.expired = expired;
  }
}

export interface Expected {
  readonly issuer: string;
  readonly audience: string;
}

/** Between the issuer's clock and ours. */
const leewaySeconds = 30;

/**
 * Whose token it is: a JWT signed by ES256 with one of the issuer's keys, for this audience, neither over nor not begun.
 *
 * @throws BadToken when it is none; NoKeys when that cannot be told
 */
export async function callerOf(token: string, keys: Pick<SigningKeys, 'find'>, expected: Expected): Promise<Caller> {
  try {
    const { payload } = await jwtVerify(token, ({ kid }) => keyOf(kid, keys), {
      ...expected,
      algorithms: ['ES256'],
      typ: 'JWT',
      clockTolerance: leewaySeconds,
      requiredClaims: ['exp', 'sub'],
    });
    return callerIn(payload);
  } catch (error) {
    if (error instanceof NoKeys) throw error;
    throw new BadToken(error instanceof errors.JWTExpired);
  }
}

async function keyOf(kid: string | undefined, keys: Pick<SigningKeys, 'find'>) {
  const key = kid === undefined ? undefined : await keys.find(kid);
  if (key === undefined) throw new BadToken(false);
  return key;
}

/** Both go into headers, so they hold nothing that would end one. */
const plainSubject = /^[\x21-\x7e]{1,200}$/;
const plainScopes = /^[\x20-\x7e]{0,2000}$/;

function callerIn({ sub = '', scope = '' }: JWTPayload): Caller {
  if (!plainSubject.test(sub) || typeof scope !== 'string' || !plainScopes.test(scope)) throw new BadToken(false);
  return { subject: sub, scopes: scope.split(' ').filter((it) => it !== '') };
}
