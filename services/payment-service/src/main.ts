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
import { paymentConfig } from './config.ts';
import { paymentRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { storedPayments } from './repository.ts';

const settings = await startSettings(process, paymentConfig);
const config = settings.values;
const app = service({
  name: 'payment-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool) },
});
let limit = config.paymentLimit;
settings.follow(app, {
  paymentLimit: (changed) => {
    limit = changed;
  },
});
const directory = serviceDirectory('payment-service', config, app);
const pool = database(config, app.log, app.metrics.registry);
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
paymentRoutes(app, { payments: storedPayments(pool), limit: () => limit });

await serve(app, {
  host: config.serverHost,
  port: config.serverPort,
  drainMs: config.drainMs,
  registration: directory.registration,
  prepare: () => migrate(pool, migrations, app.log),
  onClose: [directory.close, () => pool.end()],
});
