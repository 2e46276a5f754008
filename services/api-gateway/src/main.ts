import { httpClient, readConfig, serve, service } from '@microservice-platform/common';
import { gatewayConfig } from './config.ts';
import { forwarding } from './forward.ts';

const config = readConfig(process.env, gatewayConfig);
// One pool for each backend: what one of them does to its own cannot slow the others.
const backends = {
  products: httpClient({ baseUrl: config.productServiceUrl }),
  orders: httpClient({ baseUrl: config.orderServiceUrl }),
  notifications: httpClient({ baseUrl: config.notificationServiceUrl }),
};
const app = service({
  name: 'api-gateway',
  version: config.version,
  logLevel: config.logLevel,
  checks: {}, // a backend that is down makes its own paths fail, not the gateway
});
forwarding(app, backends);

await serve(app, {
  port: config.serverPort,
  drainMs: config.drainMs,
  onClose: Object.values(backends).map((backend) => backend.close),
});
