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
import { remoteActions } from './actions.ts';
import { remoteCatalog } from './catalog.ts';
import { orderConfig } from './config.ts';
import { orderFollowers } from './followers.ts';
import { orderRoutes } from './handlers.ts';
import { readNews } from './history.ts';
import { forgetOldKeys } from './idempotency.ts';
import { lastKnown } from './last-known.ts';
import { orderMetrics, sagaMetrics } from './metrics.ts';
import { migrations } from './migrations.ts';
import { outboxRelay } from './relay.ts';
import { storedOrders, storedSagas } from './repository.ts';
import { sagaRunner } from './runner.ts';
import { remoteUsers } from './users.ts';

const settings = await startSettings(process, orderConfig);
const config = settings.values;
// Ready without the broker and the other services: orders are accepted meanwhile, and taken on when those are back.
const app = service({
  name: 'order-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool) },
});
settings.follow(app);
const directory = serviceDirectory('order-service', config, app);
const { registry } = app.metrics;
const pool = database(config, app.log, registry);
const users = directory.client({ baseUrl: config.userServiceUrl, name: 'user-service', registry });
const inventory = directory.client({ baseUrl: config.inventoryServiceUrl, name: 'inventory-service', registry });
const payment = directory.client({ baseUrl: config.paymentServiceUrl, name: 'payment-service', registry });
const catalog = remoteCatalog({ host: config.productHost, port: config.productPort }, { registry });
const relay = outboxRelay(pool, app.log, orderMetrics(registry, pool));
const saga = sagaRunner(storedSagas(pool, config.stepLeaseMs), remoteActions({ inventory, payment }), {
  log: app.log,
  metrics: sagaMetrics(registry),
  onEnded: relay.nudge,
});
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
orderRoutes(app, {
  orders: storedOrders(pool, config.orderDeadlineMs),
  followers: orderFollowers((after) => readNews(pool, after), { log: app.log, registry }),
  stopping: app.readiness.stopping,
  sources: {
    product: lastKnown(catalog.product, { maxAgeMs: 600_000, maxEntries: 10_000 }),
    user: remoteUsers(users),
  },
  onPlaced: () => {
    relay.nudge();
    saga.nudge();
  },
});

let broker: Broker | undefined;
let housekeeping: NodeJS.Timeout | undefined;
await serve(app, {
  host: config.serverHost,
  port: config.serverPort,
  drainMs: config.drainMs,
  registration: directory.registration,
  prepare: async () => {
    await migrate(pool, migrations, app.log);
    broker = keepConnected(config, app.log, relay.work, registry);
    saga.start();
    const forget = () => void forgetOldKeys(pool).catch((error: unknown) => app.log.warn({ reason: String(error) }));
    housekeeping = setInterval(forget, 3_600_000);
  },
  onClose: [
    async () => clearInterval(housekeeping),
    () => saga.close(),
    async () => await broker?.close(),
    async () => catalog.close(),
    async () => void (await Promise.all([users, inventory, payment].map((client) => client.close()))),
    directory.close,
    () => pool.end(),
  ],
});
