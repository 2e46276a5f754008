import { isDeepStrictEqual } from 'node:util';
import { Problem, withDeadline } from '@microservice-platform/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Counter } from 'prom-client';
import type { CountRefusal } from './refusals.ts';
import type { RoutesInForce } from './routes/in-force.ts';
import type { Tokens } from './routes/schema.ts';
import { NoKeys, type SigningKeys, signingKeys } from './signing-keys.ts';
import { BadToken, type Caller, callerOf } from './tokens.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined where the route takes anyone. */
    caller: Caller | undefined;
  }
}

const fetchMs = 2_000;
const gapMs = 1_000;
const defaults = { refreshSeconds: 300, staySeconds: 3_600 };

/**
 * Lets only those to a route with `scopes` who bring a token of the issuer, and says who they are. Other routes take
 * anyone; a token that is sent there is not looked at.
 */
export function authentication(
  app: FastifyInstance,
  { routes, refused }: { readonly routes: RoutesInForce; readonly refused: CountRefusal },
): void {
  const keysFor = keysOfIssuers(app, routes);
  app.decorateRequest('caller');
  app.addHook('onRequest', async (request, reply) => {
    const { generation, match } = request.matched ?? {};
    if (match?.route.scopes === undefined || generation?.table.tokens === undefined) return;
    const { tokens } = generation.table;
    const token = bearerToken(request);
    if (token === undefined) {
      refused('no_token');
      throw new Problem('unauthenticated', 'a bearer token is needed');
    }
    request.caller = await callerOf(token, keysFor(tokens), tokens).catch((error: unknown) =>
      refuse(error, reply, refused),
    );
  });
}

/** Undefined when there is none; whatever else is in its place is no token either, and found to be so. */
function bearerToken({ headers: { authorization } }: FastifyRequest): string | undefined {
  return /^bearer +(.*)$/i.exec(authorization ?? '')?.[1];
}

/** @throws Problem */
function refuse(error: unknown, reply: FastifyReply, refused: CountRefusal): never {
  if (error instanceof NoKeys) {
    refused('no_keys');
    reply.header('retry-after', '1');
    throw new Problem('unavailable', 'who asks cannot be found out just now; try again later', { cause: error });
  }
  if (!(error instanceof BadToken)) throw error;
  refused(error.expired ? 'expired_token' : 'bad_token');
  reply.header('www-authenticate', `Bearer error="invalid_token", error_description="${error.message}"`);
  throw new Problem('unauthenticated', error.message);
}

/** The keys of the issuer that the routes in force name: kept while they name the same, and looked after meanwhile. */
function keysOfIssuers(app: FastifyInstance, routes: RoutesInForce): (tokens: Tokens) => SigningKeys {
  const fetched = fetchReport(app);
  let current: { readonly tokens: Tokens; readonly keys: SigningKeys } | undefined;
  const keysFor = (tokens: Tokens) => {
    if (current === undefined || !isDeepStrictEqual(current.tokens, tokens)) {
      current = { tokens, keys: keysBy(tokens, routes, fetched) };
    }
    return current.keys;
  };
  const lookAfter = () => {
    const { tokens } = routes.current().table;
    if (tokens !== undefined) keysFor(tokens).refreshWhenDue();
  };
  lookAfter();
  const timer = setInterval(lookAfter, gapMs);
  app.addHook('onClose', async () => clearInterval(timer));
  return keysFor;
}

function keysBy({ keys }: Tokens, routes: RoutesInForce, fetched: (failure: Error | undefined) => void): SigningKeys {
  const { backend, path, refreshSeconds, staySeconds } = { ...defaults, ...keys };
  // On behalf of all who wait, so none of them lends it a deadline.
  const fetch = () =>
    withDeadline(fetchMs, async () => {
      const { generation, leave } = routes.enter();
      try {
        return (await generation.client(backend).request('GET', path)).body;
      } finally {
        leave();
      }
    });
  return signingKeys({ fetch, fetched, refreshMs: refreshSeconds * 1_000, stayMs: staySeconds * 1_000, gapMs });
}

/** Counts the fetches, and says once when they begin to fail and once when they work again. */
function fetchReport({ metrics: { registry }, readiness, log }: FastifyInstance) {
  const fetches = new Counter({
    name: 'gateway_key_fetches_total',
    help: "Fetches of the issuer's keys, by outcome: fetched or failed.",
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of ['fetched', 'failed']) fetches.inc({ outcome }, 0);
  let failing = false;
  return (failure: Error | undefined) => {
    fetches.inc({ outcome: failure === undefined ? 'fetched' : 'failed' });
    readiness.note('keys', failure && "the issuer's keys cannot be fetched: the last known ones hold");
    if (failure !== undefined && !failing) log.warn({ reason: failure.message }, 'keys of tokens cannot be fetched');
    if (failure === undefined && failing) log.info('keys of tokens are fetched again');
    failing = failure !== undefined;
  };
}
