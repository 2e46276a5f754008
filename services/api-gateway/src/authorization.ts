import { Problem } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import type { CountRefusal } from './refusals.ts';

/** Lets a caller to a route only with every scope that the route names. */
export function authorization(app: FastifyInstance, refused: CountRefusal): void {
  app.addHook('onRequest', async (request, reply) => {
    const needed = request.matched?.match?.route.scopes ?? [];
    const missing = needed.filter((scope) => request.caller?.scopes.includes(scope) !== true);
    if (missing.length === 0) return;
    refused('scope');
    reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${needed.join(' ')}"`);
    throw new Problem('forbidden', `the token lacks ${missing.join(' and ')}`);
  });
}
