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
import { inventoryConfig } from './config.ts';
import { reservationRoutes, stockRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { storedReservations, storedStock } from './repository.ts';

const settings = await startSettings(process, inventoryConfig);
const config = settings.values;
const app = service({
  name: 'inventory-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool) },
});
settings.follow(app);
const directory = serviceDirectory('inventory-service', config, app);
const pool = database(config, app.log, app.metrics.registry);
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
stockRoutes(app, storedStock(pool));
reservationRoutes(app, storedReservations(pool));

await serve(app, {
  host: config.serverHost,
  port: config.serverPort,
  drainMs: config.drainMs,
  registration: directory.registration,
  prepare: () => migrate(pool, migrations, app.log),
  onClose: [directory.close, () => pool.end()],
});
