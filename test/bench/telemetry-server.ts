import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { metricsRegistry } from '../../services/common/src/serving/metrics.ts';
import { observeRequests } from '../../services/common/src/serving/observation.ts';
import { routeTable } from '../../services/common/src/serving/route-table.ts';
import { service } from '../../services/common/src/serving/service.ts';

/** The same route with more and more around it: `node telemetry-server.ts VARIANT` listens and prints its port. */
const variants: Readonly<Record<string, () => FastifyInstance>> = {
  bare: () => fastify(),
  metrics: () => {
    const app = fastify();
    const { observe } = metricsRegistry();
    app.addHook('onResponse', (request, reply, done) => {
      const endpoint = request.routeOptions.url ?? '';
      observe({ method: request.method, endpoint, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
      done();
    });
    return app;
  },
  traces: () => {
    const app = fastify();
    const routes = routeTable(app);
    app.decorate('metrics', metricsRegistry());
    observeRequests(app, { routes, exchanges: new WeakMap(), endpointOf: undefined });
    return app;
  },
  service: () => service({ name: 'bench', version: '0.1.0', logLevel: 'info', checks: {} }),
};

const variant = process.argv[2] ?? '';
const app = variants[variant]?.();
if (app === undefined) throw new Error(`${variant} is not one of ${Object.keys(variants).join(', ')}`);
app.get<{ Params: { id: string } }>('/products/:id', async ({ params }) => ({
  id: params.id,
  name: 'Cup',
  price: 4.5,
}));
await app.listen({ port: 0, host: '127.0.0.1' });
process.stderr.write(`port ${(app.server.address() as AddressInfo).port}\n`);
