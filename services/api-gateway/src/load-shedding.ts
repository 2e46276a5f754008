import { Problem, problemMediaType } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { Gauge } from 'prom-client';
import type { CountRefusal } from './refusals.ts';

/** How many requests may be in the gateway at once. */
export interface LoadShedding {
  readonly setLimit: (maxConcurrent: number) => void;
}

const overload = JSON.stringify(new Problem('unavailable', 'too many requests at once; try again later').body());

/**
 * Refuses requests above the limit at once, before anything of them is read or found out, without a line of error for
 * each: what is there already gets its answer. The gateway's own paths are spared, and so are streams: open for long,
 * they would take all the places, and have a bound of their own.
 */
export function loadShedding(
  app: FastifyInstance,
  { maxConcurrent, refused }: { readonly maxConcurrent: number; readonly refused: CountRefusal },
): LoadShedding {
  let limit = maxConcurrent;
  let underWay = 0;
  new Gauge({
    name: 'gateway_requests_under_way',
    help: 'Requests in the gateway now, its own paths and streams left out.',
    registers: [app.metrics.registry],
    collect() {
      this.set(underWay);
    },
  });
  app.addHook('onRequest', (request, reply, done) => {
    const { matched } = request;
    if (matched === undefined || matched.match?.route.stream !== undefined) return done();
    if (underWay >= limit) {
      refused('overload');
      reply.code(503).header('retry-after', 1).type(problemMediaType).send(overload);
      return;
    }
    underWay += 1;
    reply.raw.once('close', () => {
      underWay -= 1;
    });
    done();
  });
  return {
    setLimit: (changed) => {
      limit = changed;
    },
  };
}
