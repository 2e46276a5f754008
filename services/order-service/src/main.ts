import { database, migrate, ping, readConfig, serve, service } from '@microservice-platform/common';
import { type Broker, keepConnected } from '@microservice-platform/common/broker';
import { remoteCatalog } from './catalog.ts';
import { orderConfig } from './config.ts';
import { orderRoutes } from './handlers.ts';
import { orderMetrics } from './metrics.ts';
import { migrations } from './migrations.ts';
import { outboxRelay } from './relay.ts';
import { storedOrders } from './repository.ts';

const config = readConfig(process.env, orderConfig);
// Ready without the broker: orders are accepted meanwhile, and the outbox keeps their messages.
const app = service({
  name: 'order-service',
  version: config.version,
  logLevel: config.logLevel,
  checks: { database: () => ping(pool) },
});
const pool = database(config, app.log);
const catalog = remoteCatalog({ host: config.productHost, port: config.productPort });
const relay = outboxRelay(pool, app.log, orderMetrics(app.metrics.registry, pool));
orderRoutes(app, { orders: storedOrders(pool), catalog, onPlaced: relay.nudge });

let broker: Broker | undefined;
await serve(app, {
  port: config.serverPort,
  drainMs: config.drainMs,
  prepare: async () => {
    await migrate(pool, migrations, app.log);
    broker = keepConnected(config, app.log, relay.work);
  },
  onClose: [async () => await broker?.close(), async () => catalog.close(), () => pool.end()],
});
