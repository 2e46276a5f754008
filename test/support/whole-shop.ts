import { generateKeyPairSync } from 'node:crypto';
import { startPostgres } from './postgres.ts';
import { type RabbitMq, startRabbitMq } from './rabbitmq.ts';
import { type ServiceProcess, startService } from './service-process.ts';
import { brokerEnv, databaseEnv, productEnv } from './shop.ts';

export const restServices = [
  'user-service',
  'product-service',
  'order-service',
  'inventory-service',
  'payment-service',
  'notification-service',
  'analytics-service',
] as const;
export type RestService = (typeof restServices)[number];

export interface WholeShop {
  readonly services: Readonly<Record<RestService, ServiceProcess>>;
  readonly broker: RabbitMq;
  readonly stop: () => Promise<void>;
}

/** Every service with REST of its own, each as a process that finds the others, over one PostgreSQL and one RabbitMQ. */
export async function startWholeShop(
  orderEnv: Record<string, string> = {},
  everyEnv: Record<string, string> = {},
): Promise<WholeShop> {
  const [postgres, broker] = await Promise.all([startPostgres(), startRabbitMq()]);
  const started: ServiceProcess[] = [];
  const start = async (name: RestService, env: Record<string, string> = {}) => {
    const own = await postgres.createDatabase(name.replace('-service', ''));
    const service = await startService(name, { ...databaseEnv(own), ...brokerEnv(broker), ...everyEnv, ...env });
    started.push(service);
    return service;
  };
  const [user, product, inventory, payment, notification, analytics] = await Promise.all([
    start('user-service', { TOKEN_KEYS: JSON.stringify({ keys: [signingKey()] }) }),
    start('product-service'),
    start('inventory-service'),
    start('payment-service'),
    start('notification-service'),
    start('analytics-service'),
  ]);
  const order = await start('order-service', {
    ...productEnv(product.grpcAddress),
    USER_SERVICE_URL: user.url,
    INVENTORY_SERVICE_URL: inventory.url,
    PAYMENT_SERVICE_URL: payment.url,
    ...orderEnv,
  });
  return {
    services: {
      'user-service': user,
      'product-service': product,
      'order-service': order,
      'inventory-service': inventory,
      'payment-service': payment,
      'notification-service': notification,
      'analytics-service': analytics,
    },
    broker,
    stop: async () => {
      await Promise.all(started.map((service) => service.stop('SIGKILL')));
      await Promise.all([postgres.stop(), broker.stop()]);
    },
  };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: 'test' };
}
