import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Gauge } from 'prom-client';
import { pathOf } from './answers.ts';
import { type Fault, newFault } from './fault-validator.ts';
import { Problem } from './problem.ts';

/** What is no part of the API: it stays whole, so that a fault can be seen, and ended. */
const spared = new Set(['/healthz', '/readyz', '/metrics', '/faults', '/openapi.yaml', '/common/problems.yaml']);

/** The longest that a timer can wait: longer than any request is waited for. */
const foreverMs = 2 ** 31 - 1;

interface Running {
  readonly fault: Fault;
  readonly endsAt: Date;
  readonly timer: NodeJS.Timeout;
}

/**
 * Faults to order, for demonstrations and for tests of alerts: whoever has the token sets one at `PUT /faults`, sees it
 * at GET and ends it by DELETE; one runs at a time, and ends by itself. It must come after `limitAnswers`, whose limits
 * hold for whatever a fault does.
 */
export function faultsOnDemand(app: FastifyInstance, token: string): void {
  let running: Running | undefined;
  const active = new Gauge({
    name: 'faults_active',
    help: 'Faults that run because somebody asked for them: 0 or 1.',
    registers: [app.metrics.registry],
  });

  const end = (reason: 'deleted' | 'replaced' | 'time is over') => {
    if (running === undefined) return;
    clearTimeout(running.timer);
    app.log.warn({ fault: running.fault, reason }, 'fault ends');
    running = undefined;
    active.set(0);
  };
  const begin = (fault: Fault) => {
    end('replaced');
    const ms = fault.seconds * 1000;
    running = { fault, endsAt: new Date(Date.now() + ms), timer: setTimeout(end, ms, 'time is over').unref() };
    app.log.warn({ fault }, 'fault begins');
    active.set(1);
  };
  const shown = () => ({ fault: running === undefined ? null : { ...running.fault, ends_at: running.endsAt } });

  app.addHook('onRequest', async (request) => {
    const endpoint = request.routeOptions.url;
    if (running === undefined || endpoint === undefined || spared.has(endpoint)) return;
    if (isMeant(running.fault, pathOf(request))) await suffer(running.fault, request.abandoned);
  });
  app.register(async (routes) => {
    // The gateway reads no bodies; these are read in every service.
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser(
      'application/json',
      { parseAs: 'string' },
      routes.getDefaultJsonParser('error', 'error'),
    );
    routes.addHook('onRequest', async (request) => mustHold(token, request)); // before anything of the body is read
    routes.get('/faults', async () => shown());
    routes.put('/faults', async ({ body }) => {
      begin(newFault(body));
      return shown();
    });
    routes.delete('/faults', async (_request, reply) => {
      end('deleted');
      return reply.code(204).send();
    });
  });
}

/** Whether the path begins as the fault says, in any version or in the one that it names. */
function isMeant({ path }: Fault, asked: string): boolean {
  return asked.startsWith(path) || asked.replace(/^\/v\d+(?=\/)/, '').startsWith(path);
}

async function suffer({ delay_ms, error_rate, hang_rate }: Fault, abandoned: AbortSignal): Promise<void> {
  if (delay_ms > 0) await sleep(delay_ms, undefined, { signal: abandoned });
  const chance = Math.random();
  if (chance < hang_rate) await sleep(foreverMs, undefined, { signal: abandoned });
  if (chance < hang_rate + error_rate) throw new Problem('unavailable', 'this failure was asked for at /faults');
}

/** @throws Problem `unauthenticated`, in the same time whatever is wrong with the token */
function mustHold(token: string, { headers }: FastifyRequest): void {
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(given), digest(token))) {
    throw new Problem('unauthenticated', 'the header Authorization must be Bearer and the token for faults');
  }
}
