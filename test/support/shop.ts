import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Channel, connect, type GetMessage } from 'amqplib';
import { stringify } from 'yaml';
import type { PostgresDatabase } from './postgres.ts';
import type { RabbitMqAddress } from './rabbitmq.ts';

/** The environment of a service with this database. */
export function databaseEnv(own: PostgresDatabase): Record<string, string> {
  return {
    DB_HOST: own.host,
    DB_PORT: String(own.port),
    DB_USER: own.user,
    DB_PASSWORD: own.password,
    DB_NAME: own.database,
  };
}

/** The environment of a service with this broker, or with whatever listens at `port` in front of it. */
export function brokerEnv(broker: RabbitMqAddress, port = broker.port): Record<string, string> {
  return {
    RABBITMQ_HOST: broker.host,
    RABBITMQ_PORT: String(port),
    RABBITMQ_USER: broker.user,
    RABBITMQ_PASSWORD: broker.password,
    RABBITMQ_VHOST: broker.vhost,
  };
}

/** The environment of order-service with this product service; the others are where nobody listens. */
export function productEnv(address: string): Record<string, string> {
  const [host = '', port = ''] = address.split(':');
  const others = ['USER', 'INVENTORY', 'PAYMENT'].map((name) => [`${name}_SERVICE_URL`, 'http://127.0.0.1:1']);
  return { PRODUCT_SERVICE_HOST: host, PRODUCT_SERVICE_PORT: port, ...Object.fromEntries(others) };
}

const collections = {
  'user-service': ['users', 'tokens', '.well-known'],
  'product-service': ['products'],
  'order-service': ['orders'],
  'notification-service': ['notifications'],
  'inventory-service': ['stock', 'reservations'],
  'payment-service': ['payments'],
  'analytics-service': ['analytics'],
} as const;
export type BackendName = keyof typeof collections;

/**
 * The environment of a gateway that forwards all below a collection to the service that has it, whatever the method;
 * each is at `url`, where nobody listens unless it is given, but for those that `others` name.
 */
export function gatewayEnv(
  others: Readonly<Partial<Record<BackendName, string>>> = {},
  url = 'http://127.0.0.1:1',
): Record<string, string> {
  const names = Object.keys(collections) as BackendName[];
  const paths = (name: BackendName) => collections[name].flatMap((it) => [`/${it}`, `/${it}/*`]);
  return routesEnv({
    backends: Object.fromEntries(names.map((name) => [name, { url: others[name] ?? url }])),
    routes: names.flatMap((backend) => paths(backend).map((path) => ({ path, methods, versions: [1, 2], backend }))),
  });
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The environment of a gateway with these routes, in a file of their own. */
export function routesEnv(routes: object): { readonly ROUTES_FILE: string } {
  const file = join(mkdtempSync(join(tmpdir(), 'routes-')), 'routes.yaml');
  writeFileSync(file, stringify(routes));
  return { ROUTES_FILE: file };
}

/** Runs `work` with a channel of its own, closed afterwards. */
export async function withChannel<T>(broker: RabbitMqAddress, work: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = await connect(
    {
      hostname: broker.host,
      port: broker.port,
      username: broker.user,
      password: broker.password,
      vhost: broker.vhost,
    },
    { timeout: 5000 },
  );
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createChannel();
    const result = await work(channel);
    await channel.close(); // before the connection, which would drop what is not sent yet
    return result;
  } finally {
    await connection.close();
  }
}

/** Takes everything out of a queue. */
export function drain(broker: RabbitMqAddress, queue: string): Promise<readonly GetMessage[]> {
  return withChannel(broker, async (channel) => {
    const messages: GetMessage[] = [];
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (message === false) return messages;
      messages.push(message);
    }
  });
}

/** A queue that receives a copy of every order event from now on. */
export async function tapOrderEvents(broker: RabbitMqAddress): Promise<string> {
  return withChannel(broker, async (channel) => {
    const { queue } = await channel.assertQueue('', { durable: true });
    await channel.bindQueue(queue, 'orders.events', '#');
    return queue;
  });
}

/** How many messages wait in a queue. */
export function depth(broker: RabbitMqAddress, queue: string): Promise<number> {
  return withChannel(broker, async (channel) => (await channel.checkQueue(queue)).messageCount);
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  readonly body: any;
}

/** One HTTP request with a JSON answer; one with a body is a POST, and a new one to who knows repetitions by their key. */
export async function ask(url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : postHeaders()), ...headers },
    signal: AbortSignal.timeout(15_000),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const postHeaders = () => ({ 'content-type': 'application/json', 'idempotency-key': `"${crypto.randomUUID()}"` });

/** The value of a sample in the metrics of a service; undefined when there is no such line. */
export async function metric(url: string, sample: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((it) => it.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length));
}
