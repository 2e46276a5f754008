import type { Ending, Gateway } from './gateway.ts';

/** Who the load signs in as. */
export interface Customer {
  readonly email: string;
  readonly password: string;
}

/** A customer who stays signed in. */
export interface Session {
  /** The header that says who asks. */
  readonly authorization: () => string;
  readonly close: () => void;
}

const againMs = 2_000;

interface Token {
  readonly header: string;
  readonly seconds: number;
}

/**
 * Signs in, and again when half of a token's time is over: one that ends in the middle of a request would be a failure
 * of ours. While that fails it is tried again every two seconds, and `onTrouble` is told.
 *
 * @throws Error when the first attempt fails
 */
export async function startSession(
  shop: Gateway,
  customer: Customer,
  onTrouble: (reason: Error) => void,
): Promise<Session> {
  let token = await signedIn(shop, customer);
  let timer: NodeJS.Timeout | undefined;
  const renew = async () => {
    try {
      token = await signedIn(shop, customer);
      renewIn((token.seconds * 1000) / 2);
    } catch (error) {
      onTrouble(error instanceof Error ? error : new Error(String(error)));
      renewIn(againMs);
    }
  };
  const renewIn = (ms: number) => {
    timer = setTimeout(() => void renew(), ms).unref();
  };
  renewIn((token.seconds * 1000) / 2);
  return { authorization: () => token.header, close: () => clearTimeout(timer) };
}

async function signedIn(shop: Gateway, { email, password }: Customer): Promise<Token> {
  let token: Token | undefined;
  const { outcome, detail }: Ending = await shop.send({
    method: 'POST',
    path: '/tokens',
    body: { email, password },
    status: 200,
    accept: ({ access_token, expires_in }) => {
      if (typeof access_token !== 'string' || typeof expires_in !== 'number') return false;
      token = { header: `Bearer ${access_token}`, seconds: expires_in };
      return true;
    },
  });
  if (token === undefined) throw new Error(`POST /tokens: ${outcome}: ${detail}`);
  return token;
}
