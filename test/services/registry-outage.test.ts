import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { type Postgres, type PostgresDatabase, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, databaseEnv, gatewayEnv, metric } from '../support/shop.ts';

const leaseSeconds = 2;
/** etcd looks twice a second for leases that ran out. */
const leaseEndsMs = leaseSeconds * 1000 + 1_000;
const drainMs = 2_000;
const outageMs = Number(process.env.ETCD_OUTAGE_SECONDS ?? '5') * 1000;

let etcd: EtcdServer;
let postgres: Postgres;
let database: PostgresDatabase;
let gateway: ServiceProcess;
const products: ServiceProcess[] = [];

const registryEnv = () => ({
  REGISTRY: 'etcd',
  REGISTRY_ETCD_ENDPOINTS: etcd.url,
  REGISTRY_LEASE_SECONDS: String(leaseSeconds),
  ADVERTISED_ADDRESS: '127.0.0.1',
  SHUTDOWN_DRAIN_MS: String(drainMs),
});

async function startProduct(): Promise<ServiceProcess> {
  const product = await startService('product-service', { ...databaseEnv(database), ...registryEnv() });
  products.push(product);
  return product;
}

beforeAll(async () => {
  [etcd, postgres] = await Promise.all([startEtcd(), startPostgres()]);
  database = await postgres.createDatabase('product');
  const backends = gatewayEnv({ 'product-service': 'http://product-service' });
  [gateway] = await Promise.all([
    startService('api-gateway', { ...backends, ...registryEnv() }),
    ...Array.from({ length: 3 }, startProduct),
  ]);
  await knows(3);
});
afterAll(async () => {
  for (const it of [gateway, ...products]) it?.child.kill('SIGKILL');
  await Promise.all([etcd?.stop(), postgres?.stop()]);
});

/** Until the gateway knows that many instances. */
const knows = (count: number, withinMs = 10_000) =>
  eventually(
    async () => expect(await metric(gateway.url, 'discovered_instances{dependency="product-service"}')).toBe(count),
    { withinMs },
  );

/** How many requests for products an instance has answered. */
const answered = async ({ url }: ServiceProcess) =>
  (await metric(url, 'http_requests_total{method="GET",endpoint="/products",status="200"}')) ?? 0;

interface Load {
  readonly answers: () => number;
  /** Ends it; what failed, and when. */
  readonly end: () => Promise<readonly string[]>;
}

/** Eight callers of the gateway, each with one request at a time, all the time. */
function load(): Load {
  const failures: string[] = [];
  let answers = 0;
  let ended = false;
  const caller = async () => {
    while (!ended) {
      const at = new Date().toISOString();
      await ask(`${gateway.url}/products?limit=1`).then(
        ({ status, body }) => {
          if (status === 200) answers += 1;
          else failures.push(`${at} ${status} ${JSON.stringify(body)}`);
        },
        (error: unknown) => failures.push(`${at} ${String(error)}`),
      );
      await sleep(5);
    }
  };
  const callers = Array.from({ length: 8 }, caller);
  return {
    answers: () => answers,
    end: async () => {
      ended = true;
      await Promise.all(callers);
      expect(answers).toBeGreaterThan(100);
      return failures;
    },
  };
}

/** Resolves once that many more requests were answered. */
const more = (running: Load, count: number) => {
  const enough = running.answers() + count;
  return eventually(() => expect(running.answers()).toBeGreaterThan(enough));
};

/** Counts those who connect to the port of an instance that is gone. */
async function inThePlaceOf({ url }: ServiceProcess) {
  let callers = 0;
  const server = createServer((socket) => {
    callers += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(Number(new URL(url).port), '127.0.0.1', resolve));
  return { callers: () => callers, close: () => server.close() };
}

describe('three instances of product-service behind the gateway', () => {
  it('are each asked', async () => {
    const running = load();
    await more(running, 150);
    expect(await running.end()).toEqual([]);
    const counts = await Promise.all(products.map(answered));
    expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) / 2);
  });

  it('lose one without goodbye: no request fails, and within its lease it is gone and asked no more', async () => {
    const [killed] = products.splice(0, 1);
    const running = load();
    await more(running, 100);
    await killed?.stop('SIGKILL');
    await knows(2, leaseEndsMs);
    const place = await inThePlaceOf(killed as ServiceProcess);
    await more(running, 100);
    expect(await running.end()).toEqual([]);
    expect(place.callers()).toBe(0);
    place.close();
  });

  it('lose one that is told to stop: it is gone before it stops to answer, and no request fails', async () => {
    const [stopped] = products.splice(0, 1) as [ServiceProcess];
    const running = load();
    await more(running, 100);
    const started = performance.now();
    const ended = stopped.stop();
    await knows(1);
    expect(performance.now() - started).toBeLessThan(drainMs / 2);
    await more(running, 50); // what was on its way to it is answered
    const before = await answered(stopped);
    await more(running, 100);
    expect(await answered(stopped)).toBe(before);
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(await running.end()).toEqual([]);
  });
});

describe('an etcd that is away longer than every lease', () => {
  it.each([
    ['freezes', async () => etcd.freeze(), async () => etcd.thaw()],
    ['is killed', () => etcd.kill(), () => etcd.start()],
  ])(
    'and %s: no request fails, although an instance dies meanwhile; afterwards all is known again',
    async (_, halt, resume) => {
      while (products.length < 3) await startProduct();
      await knows(3);
      const running = load();
      await halt();
      await sleep(outageMs / 2);
      await products.splice(0, 1)[0]?.stop('SIGKILL');
      await sleep(outageMs / 2);
      await resume();
      await knows(2);
      await startProduct();
      await knows(3);
      await sleep(leaseEndsMs);
      await knows(3);
      expect(await running.end()).toEqual([]);
    },
    outageMs + 60_000,
  );
});

describe('instances that cannot do their work', () => {
  it('leave the registry, and return to it', async () => {
    await postgres.halt('immediate');
    await knows(0);
    await postgres.resume();
    await knows(products.length);
  });
});

describe('product-service without instances', () => {
  it('is 503, and the log of the gateway says why', async () => {
    await Promise.all(products.map((product) => product.stop()));
    await knows(0);
    const { status, body } = await ask(`${gateway.url}/products`);
    expect([status, body.code]).toEqual([503, 'unavailable']);
    const reason = 'no healthy instances of product-service found';
    await eventually(() => expect(gateway.log.some((line) => JSON.stringify(line).includes(reason))).toBe(true));
  });
});
