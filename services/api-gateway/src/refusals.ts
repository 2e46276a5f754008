import type { FastifyInstance } from 'fastify';
import { Counter } from 'prom-client';

const reasons = ['overload', 'no_token', 'bad_token', 'expired_token', 'no_keys', 'scope', 'rate'] as const;
export type RefusalReason = (typeof reasons)[number];

/** Counts the requests that the gateway does not let in. */
export type CountRefusal = (reason: RefusalReason) => void;

/** The counter of all refusals; made once. */
export function refusals({ metrics: { registry } }: Pick<FastifyInstance, 'metrics'>): CountRefusal {
  const refused = new Counter({
    name: 'gateway_refused_requests_total',
    help: `Requests that the gateway did not let in, by reason: ${reasons.join(', ')}.`,
    labelNames: ['reason'],
    registers: [registry],
  });
  for (const reason of reasons) refused.inc({ reason }, 0);
  return (reason) => refused.inc({ reason });
}
