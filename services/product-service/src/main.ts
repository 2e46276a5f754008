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
import { productConfig } from './config.ts';
import { type GrpcServer, serveGrpc } from './grpc.ts';
import { productRoutes } from './handlers.ts';
import { migrations } from './migrations.ts';
import { storedProducts } from './repository.ts';

const settings = await startSettings(process, productConfig);
const config = settings.values;
const app = service({
  name: 'product-service',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: { database: () => ping(pool) },
});
settings.follow(app);
const directory = serviceDirectory('product-service', config, app);
const pool = database(config, app.log, app.metrics.registry);
const products = storedProducts(pool);
contractRoute(app, new URL('../openapi.yaml', import.meta.url));
productRoutes(app, products);

let grpc: GrpcServer | undefined;
await serve(app, {
  host: config.serverHost,
  port: config.serverPort,
  drainMs: config.drainMs,
  registration: directory.registration,
  prepare: async () => {
    await migrate(pool, migrations, app.log);
    grpc = await serveGrpc(products, {
      host: config.serverHost,
      port: config.grpcPort,
      readiness: app.readiness,
      log: app.log,
      registry: app.metrics.registry,
    });
  },
  onClose: [async () => await grpc?.close(), directory.close, () => pool.end()],
});
