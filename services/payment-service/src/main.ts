import { contractRoute, database, migrate, ping, readConfig, serve, service } from '@microservice-platform/common';
import { paymentConfig } from './config.ts';
import { paymentRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { storedPayments } from './repository.ts';

const config = readConfig(process.env, paymentConfig);
const app = service({
  name: 'payment-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool) },
});
const pool = database(config, app.log);
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
paymentRoutes(app, { payments: storedPayments(pool), limit: config.paymentLimit });

await serve(app, {
  port: config.serverPort,
  drainMs: config.drainMs,
  prepare: () => migrate(pool, migrations, app.log),
  onClose: [() => pool.end()],
});
