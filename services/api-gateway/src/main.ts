import { basename, dirname } from 'node:path';
import { configFiles, serve, service, serviceDirectory, startSettings } from '@microservice-platform/common';
import { grpcClient } from '@microservice-platform/common/grpc';
import { answering } from './answering.ts';
import { authentication } from './authentication.ts';
import { authorization } from './authorization.ts';
import { gatewayConfig } from './config.ts';
import { contractPage } from './contract-page.ts';
import { loadShedding } from './load-shedding.ts';
import { localWindows } from './local-windows.ts';
import { matching } from './matching.ts';
import { rateLimits, sharedLimitsReport } from './rate-limits.ts';
import { redisConnection } from './redis-connection.ts';
import { redisWindows } from './redis-windows.ts';
import { refusals } from './refusals.ts';
import { readRoutes } from './routes/file.ts';
import { routesInForce } from './routes/in-force.ts';
import { reloadRoutes } from './routes/reload.ts';
import { streams } from './stream-forward.ts';
import { wholeContract } from './whole-contract.ts';

const settings = await startSettings(process, gatewayConfig);
const config = settings.values;
const app = service({
  name: 'api-gateway',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: {}, // a backend that is down makes its own paths fail, not the gateway
  endpointOf: (request, reply) => endpointOf(request, reply),
});
const refused = refusals(app);
const shedding = loadShedding(app, { maxConcurrent: config.maxConcurrent, refused });
settings.follow(app, { maxConcurrent: shedding.setLimit });
const directory = serviceDirectory('api-gateway', config, app);
const key = basename(config.routesFile);
const source = await configFiles(dirname(config.routesFile));
// One pool and one policy for each backend: what one of them does to its own cannot slow the others.
const { registry } = app.metrics;
const routes = routesInForce(readRoutes(source.get(key)), {
  http: (name, { url, ...limits }) => directory.client({ name, baseUrl: url, registry, ...limits }),
  grpc: (name, backend) => grpcClient({ name, registry, ...backend }),
});
const endpointOf = matching(routes);
authentication(app, { routes, refused });
authorization(app, refused);
const { redisUrl: url, redisTimeoutMs: answerMs } = config;
const redis = url === undefined ? undefined : redisConnection({ url, answerMs, changed: sharedLimitsReport(app) });
const windows = redis === undefined ? localWindows() : redisWindows(redis, localWindows());
rateLimits(app, { windows, trustedProxies: config.trustedProxies, refused });
const streaming = streams(app);
answering(app, streaming);
contractPage(app, wholeContract(routes));
const endReload = reloadRoutes(app, { source, key, routes });

await serve(app, {
  host: config.serverHost,
  port: config.serverPort,
  drainMs: config.drainMs,
  registration: directory.registration,
  onClose: [
    async () => endReload(),
    source.close,
    streaming.close,
    routes.close,
    async () => redis?.close(),
    directory.close,
  ],
});
