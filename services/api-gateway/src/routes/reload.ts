import type { ConfigSource } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { Counter, Gauge } from 'prom-client';
import { readRoutes } from './file.ts';
import type { RoutesInForce } from './in-force.ts';

/**
 * Takes on the routes that `source` has under `key` whenever they change. What is not a route file as a whole is
 * refused: the routes in force stay, and the reason is in the log, in `/readyz` and in the metrics until a good one
 * comes. Gives the function that ends it.
 */
export function reloadRoutes(
  app: Pick<FastifyInstance, 'log' | 'metrics' | 'readiness'>,
  { source, key, routes }: { readonly source: ConfigSource; readonly key: string; readonly routes: RoutesInForce },
): () => void {
  const metrics = reloadMetrics(app, routes);
  const refuse = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    metrics.reloads.inc({ outcome: 'refused' });
    metrics.refused.set(1);
    app.readiness.note('routes', `the last good ones are in force: ${reason}`);
    app.log.warn({ reason, generation: routes.current().number }, 'routes refused, the last good ones stay');
  };
  const takeOn = () => {
    try {
      routes.replace(readRoutes(source.get(key)));
    } catch (error) {
      refuse(error);
      return;
    }
    metrics.reloads.inc({ outcome: 'applied' });
    metrics.refused.set(0);
    app.readiness.note('routes', undefined);
    const { number, table } = routes.current();
    app.log.info({ generation: number, routes: table.routes.length }, 'routes changed');
  };
  return source.watch((keys) => {
    if (keys.includes(key)) takeOn();
  });
}

function reloadMetrics({ metrics: { registry } }: Pick<FastifyInstance, 'metrics'>, routes: RoutesInForce) {
  const reloads = new Counter({
    name: 'gateway_route_reloads_total',
    help: 'Route files that were read while the gateway ran, by outcome: applied or refused.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const refused = new Gauge({
    name: 'gateway_routes_refused',
    help: 'Whether the newest route file was refused and an older one is in force: 1 or 0.',
    registers: [registry],
  });
  new Gauge({
    name: 'gateway_routes_generation',
    help: 'How many sets of routes were in force since the start, this one included.',
    registers: [registry],
    collect() {
      this.set(routes.current().number);
    },
  });
  reloads.inc({ outcome: 'applied' }, 0);
  reloads.inc({ outcome: 'refused' }, 0);
  refused.set(0);
  return { reloads, refused };
}
