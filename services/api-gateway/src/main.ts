import { serve, service, serviceDirectory, startSettings } from '@microservice-platform/common';
import { gatewayConfig } from './config.ts';
import { forwarding } from './forward.ts';

const settings = await startSettings(process, gatewayConfig);
const config = settings.values;
const app = service({
  name: 'api-gateway',
  version: config.version,
  logLevel: config.logLevel,
  faultsToken: config.faultsToken,
  checks: {}, // a backend that is down makes its own paths fail, not the gateway
});
settings.follow(app);
const directory = serviceDirectory('api-gateway', config, app);
// One pool and one policy for each backend: what one of them does to its own cannot slow the others.
const backend = (name: string, baseUrl: string) => directory.client({ name, baseUrl, registry: app.metrics.registry });
const user = backend('user-service', config.userServiceUrl);
const product = backend('product-service', config.productServiceUrl);
const order = backend('order-service', config.orderServiceUrl);
const notification = backend('notification-service', config.notificationServiceUrl);
const inventory = backend('inventory-service', config.inventoryServiceUrl);
const payment = backend('payment-service', config.paymentServiceUrl);
const analytics = backend('analytics-service', config.analyticsServiceUrl);
forwarding(app, {
  users: user,
  tokens: user,
  '.well-known': user,
  products: product,
  orders: order,
  notifications: notification,
  stock: inventory,
  reservations: inventory,
  payments: payment,
  analytics,
});

await serve(app, {
  port: config.serverPort,
  drainMs: config.drainMs,
  registration: directory.registration,
  onClose: [user, product, order, notification, inventory, payment, analytics, directory].map((it) => it.close),
});
