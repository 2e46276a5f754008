import { createHash } from 'node:crypto';
import { Problem } from '@microservice-platform/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Gauge } from 'prom-client';
import { clientAddress } from './client-address.ts';
import type { RateWindows } from './rate-window.ts';
import type { CountRefusal } from './refusals.ts';
import type { RateLimit } from './routes/schema.ts';

export interface RateLimitsOptions {
  readonly windows: RateWindows;
  /** Proxies in front whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: number;
  readonly refused: CountRefusal;
}

/** Holds each client to the limit of the route: whose token it is, else the address that asks. Says what is left of it. */
export function rateLimits(app: FastifyInstance, { windows, trustedProxies, refused }: RateLimitsOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    const { generation, match } = request.matched ?? {};
    const name = match?.route.rateLimit;
    const limit = name === undefined ? undefined : generation?.table.rateLimits[name];
    if (name === undefined || limit === undefined) return;
    const { allowed, remaining, waitMs } = await windows.take(
      keyOf(name, limit, clientOf(request, trustedProxies)),
      limit,
    );
    const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
    reply.header('ratelimit-policy', `"${name}";q=${limit.requests};w=${limit.seconds}`);
    reply.header('ratelimit', `"${name}";r=${remaining};t=${seconds}`);
    if (allowed) return;
    refused('rate');
    reply.header('retry-after', seconds);
    const detail = `at most ${limit.requests} requests in ${limit.seconds} s; try again in ${seconds} s`;
    throw new Problem('too_many_requests', detail);
  });
}

function clientOf({ caller, headers, socket }: FastifyRequest, trustedProxies: number): string {
  if (caller !== undefined) return `subject ${caller.subject}`;
  const forwardedFor = [headers['x-forwarded-for']].flat().join(',');
  return `address ${clientAddress({ peer: socket.remoteAddress ?? '', forwardedFor }, trustedProxies)}`;
}

/** Short, whatever the client is called, and nobody's name. A limit that was changed begins anew. */
function keyOf(name: string, { requests, seconds }: RateLimit, client: string): string {
  const hash = createHash('sha256').update(client).digest('base64url').slice(0, 22);
  return `rate:${name}:${requests}/${seconds}:${hash}`;
}

/** Says in log, metrics and `/readyz` whether limits hold over all replicas, or Redis is away and each counts alone. */
export function sharedLimitsReport({
  metrics: { registry },
  readiness,
  log,
}: FastifyInstance): (reason: string | undefined) => void {
  const shared = new Gauge({
    name: 'gateway_rate_limits_shared',
    help: 'Whether rate limits hold over all replicas: 1, or 0 while Redis is away and each replica counts alone.',
    registers: [registry],
  });
  let away: boolean | undefined;
  return (reason) => {
    shared.set(reason === undefined ? 1 : 0);
    readiness.note('rate limits', reason && 'Redis is away: each replica counts alone');
    if (reason !== undefined && away !== true)
      log.warn({ reason }, 'Redis is away, each replica counts requests alone');
    if (reason === undefined && away === true) log.info('Redis is back, requests are counted over all replicas');
    away = reason !== undefined;
  };
}
