import { kubectl } from '../cluster/kubectl.ts';
import { tokenKeys } from '../services/user-service/src/token-keys.ts';
import { scopes as ofCustomers, type Scope, signedTokens } from '../services/user-service/src/tokens.ts';
import { shopNamespace } from './install.ts';

/** No sign-in gives it: the routes that change what all customers see ask for it. */
const ofStaff = 'shop:manage';

export interface TokenRequest {
  /** With spaces between them; by default all that a customer can have. */
  readonly scopes?: string | undefined;
  readonly subject?: string | undefined;
}

/**
 * A token as user-service would issue it, for demonstrations: signed with the key of the shop, so it takes the right to
 * read the Secret that holds it.
 */
export async function shopToken(kubeconfig: string, request: TokenRequest): Promise<string> {
  const path = '-o=jsonpath={.data.jwks}';
  const found = await kubectl(kubeconfig).get(['secret', 'user-service-keys', '-n', shopNamespace, path]);
  return tokenBy(Buffer.from(found, 'base64').toString(), request);
}

/** The token that the first of these keys signs. @throws Error naming the scopes that the shop does not have */
export async function tokenBy(jwks: string, { scopes, subject }: TokenRequest): Promise<string> {
  const asked = scopes === undefined || scopes === '' ? ofCustomers : scopes.split(/[ ,]+/).filter((it) => it !== '');
  const known: readonly string[] = [...ofCustomers, ofStaff];
  const unknown = asked.filter((it) => !known.includes(it));
  if (unknown.length > 0) throw new Error(`no such scope: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const issue = signedTokens(tokenKeys('TOKEN_KEYS').parse(jwks));
  return (await issue(subject || 'demo', asked as readonly Scope[])).access_token;
}
