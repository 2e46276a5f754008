import { database, migrate, ping, readConfig, serve, service } from '@microservice-platform/common';
import { type Broker, keepConnected } from '@microservice-platform/common/broker';
import { Counter } from 'prom-client';
import { notificationConfig } from './config.ts';
import { orderConsumer } from './consumer.ts';
import { notificationRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { storedNotifications } from './repository.ts';

const config = readConfig(process.env, notificationConfig);
let broker: Broker | undefined;
// Consuming is what this service is for: without the broker it says that it is not ready, and why.
const app = service({
  name: 'notification-service',
  version: config.version,
  logLevel: config.logLevel,
  checks: { database: () => ping(pool), broker: async () => broker?.check() },
});
const pool = database(config, app.log);
const notifications = storedNotifications(pool);
const consumed = new Counter({
  name: 'messages_consumed_total',
  help: 'Deliveries by outcome: stored, duplicate, dead, or requeued after a failure.',
  labelNames: ['outcome'],
  registers: [app.metrics.registry],
});
const consume = orderConsumer({ notifications, log: app.log, consumed });
notificationRoutes(app, notifications);

await serve(app, {
  port: config.serverPort,
  drainMs: config.drainMs,
  prepare: async () => {
    await migrate(pool, migrations, app.log);
    broker = keepConnected(config, app.log, consume);
  },
  onClose: [async () => await broker?.close(), () => pool.end()],
});
