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
import { notificationConfig } from './config.ts';
import { notificationRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { orderReceived } from './notifications.ts';
import { addNotification, storedNotifications } from './repository.ts';

const settings = await startSettings(process, notificationConfig);
const config = settings.values;
let broker: Broker | undefined;
// Consuming is what this service is for: without the broker it says that it is not ready, and why.
const app = service({
  name: 'notification-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool), broker: async () => broker?.check() },
});
settings.follow(app);
const directory = serviceDirectory('notification-service', config, app);
const pool = database(config, app.log, app.metrics.registry);
const consume = orderEventConsumer({
  pool,
  log: app.log,
  registry: app.metrics.registry,
  subscription: orderSubscriptions.notification,
  handle: (client, { event }) => addNotification(client, orderReceived(event)),
});
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
notificationRoutes(app, storedNotifications(pool));

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
