import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { groups } from '../../dashboards/alerts/files.ts';
import { platformNamespace } from '../../manifests/install.ts';
import { addCustomer, type Customer, query } from '../../manifests/proof.ts';
import { nodeImage, startAlertWebhook, type Told, told } from '../support/alert-webhook.ts';
import { cli, url } from '../support/cluster.ts';
import { failedRequest } from '../support/failed-request.ts';
import { fasterAlerts } from '../support/faster-alerts.ts';

const namespace = 'shop';
/** Half an hour is three minutes then, and two scrapes still fit into the shortest window. */
const faster = 10;
const token = 'a-token-for-faults-in-tests';

let webhook: AsyncDisposable | undefined;
beforeAll(async () => {
  webhook = await startAlertWebhook();
}, 300_000);
afterAll(() => webhook?.[Symbol.asyncDispose](), 300_000);

const kubectl = (...args: string[]) => cli.run(['-n', namespace, ...args], 150_000);
const patch = (name: string, spec: object) =>
  kubectl('patch', 'microservice', name, '--type=merge', '--patch', JSON.stringify({ spec }));
const ready = (name: string) => cli.waitFor(`microservice/${name}`, 'Ready', { namespace, timeoutMs: 180_000 });

/** Runs a program in a pod of order-service, which has what it takes to reach everything in the shop. */
const inTheShop = (program: string) => kubectl('exec', 'deployment/order-service', '--', 'node', '--eval', program);

const sql = (database: string, statement: string) =>
  kubectl('exec', 'postgresql-0', '--', 'psql', '--dbname', database, '--command', statement);

const alertsIn = ({ body }: Told) =>
  body.alerts.filter(({ status }) => status === 'firing').map(({ labels }) => labels);

/** Buys and looks around until told to stop, as the breaker of the gateway lets it; what comes of it does not matter here. */
function shopping(customer: Customer) {
  const stop = new AbortController();
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url('api-gateway')}${path}`, {
      ...init,
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(15_000)]),
    })
      .then((answer) => answer.arrayBuffer())
      .catch(() => undefined);
  const { id: user_id, authorization } = customer;
  const round = async (n: number) => {
    const headers = {
      authorization,
      'content-type': 'application/json',
      'idempotency-key': `"${crypto.randomUUID()}"`,
    };
    const body = JSON.stringify({ product_id: 1 + (n % 5), quantity: 1, user_id });
    await Promise.all([
      ask('/orders', { method: 'POST', headers, body }),
      ask('/products'),
      ask('/orders', { headers }),
    ]);
    await sleep(200);
  };
  const done = (async () => {
    for (let n = 0; !stop.signal.aborted; n++) await round(n);
  })();
  return {
    [Symbol.asyncDispose]: () => {
      stop.abort();
      return done;
    },
  };
}

describe('a service that dies', () => {
  it('is what somebody is called for within two minutes, once, and its callers are not; a graph leads to the span and the lines', async () => {
    await using _ = shopping(await addCustomer(url('api-gateway')));
    await sleep(30_000); // a little of how it is when all is well
    const before = (await told()).length;
    const pages = async () => (await told()).slice(before).filter(({ path }) => path === '/page');
    const killed = Date.now();
    await patch('product-service', { rollout: { type: 'Recreate' }, command: ['node', '--eval', 'process.exit(1)'] });
    try {
      const page = await waitFor('a page', async () => (await pages())[0], { timeoutMs: 180_000, everyMs: 500 });
      const seconds = (page.at - killed) / 1000;
      expect(alertsIn(page)).toEqual([
        expect.objectContaining({ alertname: 'ServiceDown', namespace, service: 'product-service' }),
      ]);
      expect(seconds).toBeLessThan(120);
      const because = await query(url('prometheus'), 'ALERTS{alertname="DependencyFailing",alertstate="firing"}');
      console.log(`ServiceDown: ${seconds.toFixed(0)} s after the fault; ${because.length} callers fail because of it`);

      const calls = 'outbound_request_duration_seconds_bucket{service="order-service",dependency="product-service"}';
      const request = await waitFor(
        'the trace of a call that failed',
        () => failedRequest(calls, killed, 'order-service: product.ProductService/GetProduct'),
        { timeoutMs: 60_000, everyMs: 2_000 },
      );
      console.log(`one that failed: ${JSON.stringify(request)}`);
      expect(request.saidBy).toEqual(expect.arrayContaining(['api-gateway', 'order-service']));

      await sleep(60_000);
      expect((await pages()).flatMap(alertsIn)).toHaveLength(1);
    } finally {
      await patch('product-service', { rollout: null, command: null });
      await ready('product-service');
    }
    const resolved = async () => (await pages()).some(({ body }) => body.status === 'resolved');
    await waitFor('the page to be over', resolved, { timeoutMs: 180_000, everyMs: 1000 });
    expect((await pages()).flatMap(alertsIn)).toHaveLength(1);
  }, 600_000);
});

/** A Microservice of one pod that does what the program says, with the metrics of every service. */
async function runProgram(name: string, program: string, more: object = {}): Promise<void> {
  const spec = {
    image: await nodeImage(),
    command: ['node', '--eval', `${withMetrics}${program}`],
    ports: [{ name: 'http', containerPort: 8080 }],
    resources: { requests: { cpu: '10m' } },
    ...more,
  };
  const metadata = { name, namespace, labels: { 'e2e-alerts': 'true' } };
  await cli.apply(
    JSON.stringify({ apiVersion: 'microservice-platform.io/v1alpha1', kind: 'Microservice', metadata, spec }),
  );
}

const withMetrics = `
const { createServer } = require('node:http');
const { collectDefaultMetrics, Counter, register } = require('prom-client');
collectDefaultMetrics();
const labelNames = ['method', 'endpoint', 'status'];
const requests = new Counter({ name: 'http_requests_total', help: 'Answered HTTP requests.', labelNames });
const answer = async (request, response) => {
  // Prometheus takes nothing whose type it is not told.
  response.setHeader('content-type', register.contentType);
  if (request.url === '/metrics') return response.end(await register.metrics());
  response.writeHead(503).end();
  requests.inc({ method: 'GET', endpoint: '/', status: '503' });
};
const listen = (handler = answer) => createServer(handler).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

const lockedForTwoMinutes = 'BEGIN; LOCK TABLE product_counts IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(120); COMMIT;';

/** More than there are connections for. They leave before there is an answer: the service fails at nothing, it is slow. */
const manyReaders = `
const end = Date.now() + 110_000;
const url = 'http://analytics-service:8080/analytics/products';
const one = async () => {
  while (Date.now() < end) await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => {});
};
Promise.all(Array.from({ length: 30 }, one));
`;

type Fault = () => Promise<unknown>;

/** What makes each alert fire. Those that hold each other back are about different services. */
const faults: Readonly<Record<string, Fault>> = {
  // Nobody does anything for it.
  Watchdog: async () => {},
  // Gone together, so that its callers fail because of it. It is put right by nobody until the end.
  ServiceDown: () =>
    patch('user-service', { rollout: { type: 'Recreate' }, command: ['node', '--eval', 'process.exit(1)'] }),
  DependencyFailing: async () => {},
  MicroserviceNotReady: () => runProgram('alerts-no-image', '', { image: 'localhost/nowhere/nothing:0' }),
  PodsRestart: () => runProgram('alerts-restarts', 'listen(); setTimeout(() => process.exit(1), 12_000);'),
  ServiceErrors: () =>
    runProgram('alerts-errors', "listen(); setInterval(() => fetch('http://127.0.0.1:8080/').catch(() => {}), 100);"),
  EventLoopBlocked: () =>
    runProgram(
      'alerts-blocked',
      'listen(); setInterval(() => { for (const end = Date.now() + 900; Date.now() < end; ); }, 1000);',
    ),
  TargetDown: () => runProgram('alerts-no-metrics', 'listen((request, response) => response.writeHead(404).end());'),
  GatewayMasksFailures: () => faultIn('product-service', { path: '/products', error_rate: 1, seconds: 300 }),
  SloBurnsFast: async () => {}, // by that of product-service
  SloBurnsSlowly: async () => {},
  ErrorBudgetUsedUp: async () => {},
  OutboxStuck: () => kubectl('scale', 'statefulset/rabbitmq', '--replicas=0'),
  DeadLetters: () =>
    inTheShop(`
      const { connect } = require('amqplib');
      const { RABBITMQ_HOST: hostname, RABBITMQ_USER: username, RABBITMQ_PASSWORD: password } = process.env;
      connect({ hostname, username, password }).then(async (connection) => {
        const channel = await connection.createConfirmChannel();
        channel.sendToQueue('orders', Buffer.from('nobody can read this'));
        await channel.waitForConfirms();
        await connection.close();
      });`),
  // The table is locked: nothing is stored, so nothing is taken from the queue, and whoever asks waits with a connection.
  ConsumerLags: async () => {
    sql('analytics', lockedForTwoMinutes).catch(() => {});
  },
  DatabasePoolExhausted: async () => {
    inTheShop(manyReaders).catch(() => {});
  },
  OrdersStuck: () => patch('payment-service', { suspend: true }),
  TelemetryLost: () => cli.run(['scale', 'deployment/jaeger', '-n', platformNamespace, '--replicas=0']),
};

async function faultIn(service: string, fault: object): Promise<void> {
  await patch(service, { env: [...(await envOf(service)), { name: 'FAULTS_TOKEN', value: token }] });
  await ready(service);
  const pods = await kubectl(
    'get',
    'pods',
    '-l',
    `microservice-platform.io/microservice=${service}`,
    '-o',
    'jsonpath={.items[*].status.podIP}',
  );
  for (const pod of pods.trim().split(' ')) {
    await inTheShop(`fetch('http://${pod}:8080/faults', { method: 'PUT', body: ${JSON.stringify(JSON.stringify(fault))},
      headers: { authorization: 'Bearer ${token}', 'content-type': 'application/json' } })`);
  }
}

const envOf = async (service: string): Promise<readonly { name: string }[]> =>
  JSON.parse(await kubectl('get', 'microservice', service, '-o', 'jsonpath={.spec.env}'));

/** Begins a fault. One that cannot be begun is seen by its alert, which then does not fire. */
async function begun(name: string): Promise<void> {
  try {
    await faults[name]?.();
  } catch (error) {
    console.error(name, error);
  }
}

/** The order of faults: what needs the broker comes before it is stopped. */
const phases: readonly (readonly string[])[] = [
  [
    'DeadLetters',
    'MicroserviceNotReady',
    'PodsRestart',
    'ServiceErrors',
    'EventLoopBlocked',
    'TargetDown',
    'Watchdog',
    'GatewayMasksFailures',
    'SloBurnsFast',
    'SloBurnsSlowly',
    'ErrorBudgetUsedUp',
    'ConsumerLags',
    'DatabasePoolExhausted',
    'TelemetryLost',
  ],
  ['OutboxStuck', 'OrdersStuck', 'ServiceDown', 'DependencyFailing'],
];

/**
 * What Alertmanager was told of since that moment, whether it tells somebody at once, later with what else is wrong with the
 * service, or not at all because a page says enough. Not when it began: an alert that comes again keeps its first beginning.
 */
async function arrived(since: number): Promise<readonly string[]> {
  const answer = await fetch(`${url('alertmanager')}/api/v2/alerts`, { signal: AbortSignal.timeout(10_000) });
  const alerts = (await answer.json()) as readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly updatedAt: string;
  }[];
  return alerts.flatMap(({ labels, updatedAt }) => (Date.parse(updatedAt) >= since ? (labels.alertname ?? []) : []));
}

async function mendAll(): Promise<void> {
  const env = (await envOf('product-service')).filter(({ name }) => name !== 'FAULTS_TOKEN');
  await Promise.all([
    kubectl('delete', 'microservices', '-l', 'e2e-alerts=true', '--wait=false'),
    kubectl('scale', 'statefulset/rabbitmq', '--replicas=1'),
    cli.run(['scale', 'deployment/jaeger', '-n', platformNamespace, '--replicas=1']),
    patch('user-service', { rollout: null, command: null }),
    patch('payment-service', { suspend: null }),
    patch('product-service', { env }),
  ]);
  await kubectl('rollout', 'status', 'statefulset/rabbitmq', '--timeout=120s');
  for (const name of ['user-service', 'payment-service', 'product-service', 'order-service']) await ready(name);
  await inTheShop(`
    const { connect } = require('amqplib');
    const { RABBITMQ_HOST: hostname, RABBITMQ_USER: username, RABBITMQ_PASSWORD: password } = process.env;
    connect({ hostname, username, password }).then(async (connection) => {
      await (await connection.createChannel()).purgeQueue('orders.dead');
      await connection.close();
    });`);
}

const others = groups.filter(({ name }) => name !== 'operator').flatMap(({ alerts }) => alerts);

describe('every alert of services and of what they promise', () => {
  /** After how many seconds of its phase each was at Alertmanager. */
  const seen = new Map<string, number>();

  beforeAll(async () => {
    await using _faster = await fasterAlerts(faster);
    const since = Date.now();
    await using _shopping = shopping(await addCustomer(url('api-gateway')));
    const before = (await told()).length;
    try {
      for (const phase of phases) {
        const started = Date.now();
        await Promise.all(phase.map((name) => begun(name)));
        const look = async () => {
          for (const name of await arrived(since)) if (!seen.has(name)) seen.set(name, (Date.now() - started) / 1000);
          return phase.every((name) => seen.has(name));
        };
        await waitFor('every alert of this phase', look, { timeoutMs: 210_000, everyMs: 2000 }).catch(() => {});
      }
    } finally {
      console.log([...seen].map(([name, seconds]) => `${name}: ${seconds.toFixed(0)} s`).join('\n'));
      const messages = (await told()).slice(before).flatMap(alertsIn);
      console.log(`at the webhook: ${[...new Set(messages.map(({ alertname }) => alertname))].join(', ')}`);
      await mendAll();
    }
  }, 900_000);

  it('has a fault that makes it fire', () => {
    expect(Object.keys(faults).sort()).toEqual(others.map(({ name }) => name).sort());
    expect(phases.flat().sort()).toEqual(Object.keys(faults).sort());
  });

  it.each(others.map(({ name, severity }) => [name, severity] as const))('%s (%s) fires by it', (name) => {
    expect([...seen.keys()]).toContain(name);
  });
});
