import { contractRoute, database, migrate, ping, readConfig, serve, service } from '@microservice-platform/common';
import { inventoryConfig } from './config.ts';
import { reservationRoutes, stockRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { storedReservations, storedStock } from './repository.ts';

const config = readConfig(process.env, inventoryConfig);
const app = service({
  name: 'inventory-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool) },
});
const pool = database(config, app.log);
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
stockRoutes(app, storedStock(pool));
reservationRoutes(app, storedReservations(pool));

await serve(app, {
  port: config.serverPort,
  drainMs: config.drainMs,
  prepare: () => migrate(pool, migrations, app.log),
  onClose: [() => pool.end()],
});
