import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Problem, query } from '@microservice-platform/common';
import type { Pool, PoolClient } from 'pg';
import type { Order, OrderRequest } from './order.ts';

/**
 * A request that may come again, and must be answered then as it was the first time (IETF
 * draft-ietf-httpapi-idempotency-key-header). Keys of different clients do not meet.
 */
export interface KeyedRequest {
  readonly client: string;
  readonly key: string;
  /** Tells whether another request with the same key asks for the same. */
  readonly fingerprint: string;
}

/** How long an answer is kept for replay. */
export const keptFor = '24 hours';

/** A structured field's string, or the same without its quotes. */
const form = /^(?:"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\w.:-]{1,255}))$/;

/** @throws Problem `invalid_request` when there is no key, or no usable one */
export function keyedRequest(headers: IncomingHttpHeaders, request: OrderRequest): KeyedRequest {
  const given = headers['idempotency-key'];
  if (given === undefined) {
    throw invalid('the header Idempotency-Key is required: a new UUID for a new order, the same for a second attempt');
  }
  const match = typeof given === 'string' ? form.exec(given) : null;
  const key = match?.[1] ?? match?.[2];
  if (key === undefined) throw invalid('Idempotency-Key is not a text of 1 to 255 visible characters in quotes');
  const { product_id, quantity, user_id } = request;
  const canonical = JSON.stringify([product_id, quantity, user_id]);
  return { client: user_id, key, fingerprint: createHash('sha256').update(canonical).digest('hex') };
}

/**
 * The answer that was given to this request before; undefined when it is new.
 *
 * @throws Problem `idempotency_key_reused` when the key was used for something else
 */
export async function answerBefore(
  client: Pick<PoolClient, 'query'>,
  { client: owner, key, fingerprint }: KeyedRequest,
): Promise<Order | undefined> {
  const { rows } = await client.query<{ fingerprint: string; answer: Order }>(
    'SELECT fingerprint, answer FROM idempotency_keys WHERE client = $1 AND key = $2',
    [owner, key],
  );
  const [known] = rows;
  if (known === undefined) return undefined;
  if (known.fingerprint === fingerprint) return known.answer;
  throw new Problem('idempotency_key_reused', 'this Idempotency-Key was used for another order: take a new one');
}

/**
 * Keeps others with the same key out until the caller's transaction ends. If this process dies, so does the claim.
 *
 * @throws Problem `idempotency_key_in_use` while another such request is under way
 */
export async function claimKey(client: PoolClient, { client: owner, key }: KeyedRequest): Promise<void> {
  const { rows } = await client.query<{ mine: boolean }>(
    'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS mine',
    [JSON.stringify([owner, key])],
  );
  if (rows[0]?.mine !== true) {
    throw new Problem(
      'idempotency_key_in_use',
      'a request with this Idempotency-Key is under way: ask again in a moment',
    );
  }
}

/** Keeps the answer, inside the transaction that makes it true. */
export async function keepAnswer(client: PoolClient, request: KeyedRequest, answer: Order): Promise<void> {
  await client.query('INSERT INTO idempotency_keys (client, key, fingerprint, answer) VALUES ($1, $2, $3, $4)', [
    request.client,
    request.key,
    request.fingerprint,
    JSON.stringify(answer),
  ]);
}

/** Forgets the answers that were kept long enough. */
export async function forgetOldKeys(pool: Pool): Promise<void> {
  await query(pool, `DELETE FROM idempotency_keys WHERE created_at < now() - interval '${keptFor}'`);
}

function invalid(message: string): Problem {
  return new Problem('invalid_request', message, { errors: [{ field: 'Idempotency-Key', message }] });
}
