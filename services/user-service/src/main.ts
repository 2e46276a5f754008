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
import { userConfig } from './config.ts';
import { userRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { scryptPasswords } from './passwords.ts';
import { storedUsers } from './repository.ts';
import { signedTokens } from './tokens.ts';

const settings = await startSettings(process, userConfig);
const config = settings.values;
const app = service({
  name: 'user-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool) },
});
settings.follow(app);
const directory = serviceDirectory('user-service', config, app);
const pool = database(config, app.log, app.metrics.registry);
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
userRoutes(app, {
  users: storedUsers(pool),
  passwords: scryptPasswords(),
  tokens: signedTokens(config.tokenKeys),
  publicKeys: config.tokenKeys.published,
});

await serve(app, {
  host: config.serverHost,
  port: config.serverPort,
  drainMs: config.drainMs,
  registration: directory.registration,
  prepare: () => migrate(pool, migrations, app.log),
  onClose: [directory.close, () => pool.end()],
});
