import {
  contractRoute,
  database,
  migrate,
  ping,
  serve,
  service,
  serviceDirectory,
  startSettings,
} from '@microservice-platform/common';
import { type Broker, keepConnected } from '@microservice-platform/common/broker';
import { orderEventConsumer } from '@microservice-platform/common/consumer';
import { orderSubscriptions } from '@microservice-platform/common/order-events';
import { analyticsConfig } from './config.ts';
import { analyticsRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { countsOf } from './product-counts.ts';
import { addCounts, storedCounts } from './repository.ts';

const settings = await startSettings(process, analyticsConfig);
const config = settings.values;
let broker: Broker | undefined;
// Consuming is what this service is for: without the broker it says that it is not ready, and why.
const app = service({
  name: 'analytics-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool), broker: async () => broker?.check() },
});
settings.follow(app);
const directory = serviceDirectory('analytics-service', config, app);
const pool = database(config, app.log, app.metrics.registry);
const consume = orderEventConsumer({
  pool,
  log: app.log,
  registry: app.metrics.registry,
  subscription: orderSubscriptions.analytics,
  handle: (client, { type, event }) => addCounts(client, countsOf(type, event)),
});
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
analyticsRoutes(app, storedCounts(pool));

await serve(app, {
  host: config.serverHost,
  port: config.serverPort,
  drainMs: config.drainMs,
  registration: directory.registration,
  prepare: async () => {
    await migrate(pool, migrations, app.log);
    broker = keepConnected(config, app.log, consume, app.metrics.registry);
  },
  onClose: [async () => await broker?.close(), directory.close, () => pool.end()],
});
