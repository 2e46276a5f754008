import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { database, query } from '../../services/common/src/database/postgres.ts';
import { freePort } from '../support/daemon.ts';
import { recordingLog, settingsOf } from '../support/database.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { ask, brokerEnv, databaseEnv, metric, productEnv } from '../support/shop.ts';

/** Reservation and payment of an order happen, or neither is left, whatever goes wrong on the way. */
const patient = { timeout: 50_000, interval: 100 };

let postgres: Postgres;
let pool: ReturnType<typeof database>;
let product: ServiceProcess;
let inventory: ServiceProcess;
let payment: ServiceProcess;
let toInventory: FaultProxy;
let toPayment: FaultProxy;
let env: Record<string, string>;
/** Takes orders that have a minute to get through. */
let order: ServiceProcess;
/** Takes orders that are late after a second. Both take on the orders of both. */
let hasty: ServiceProcess;

const startOrders = () => startService('order-service', env);

beforeAll(async () => {
  postgres = await startPostgres();
  const own = await postgres.createDatabase('orders');
  pool = database(settingsOf(own), recordingLog());
  [product, inventory, payment] = (await Promise.all(
    ['product', 'inventory', 'payment'].map(async (name) =>
      startService(`${name}-service`, databaseEnv(await postgres.createDatabase(name))),
    ),
  )) as [ServiceProcess, ServiceProcess, ServiceProcess];
  [toInventory, toPayment] = await Promise.all([startFaultProxy(inventory.url), startFaultProxy(payment.url)]);
  env = {
    ...databaseEnv(own),
    // Nobody listens there: what would be published stays in the outbox, where it can be counted.
    ...brokerEnv({ host: '127.0.0.1', port: await freePort(), user: 'shop', password: 'none', vhost: '/' }),
    ...productEnv(product.grpcAddress),
    INVENTORY_SERVICE_URL: toInventory.url,
    PAYMENT_SERVICE_URL: toPayment.url,
    ORDER_STEP_LEASE_MS: '12000',
  };
  [order, hasty] = await Promise.all([
    startOrders(),
    startService('order-service', { ...env, ORDER_DEADLINE_MS: '1000' }),
  ]);
});
afterAll(async () => {
  await Promise.all([order, hasty, product, inventory, payment].map((it) => it?.stop('SIGKILL')));
  await Promise.all([toInventory?.stop(), toPayment?.stop(), pool?.end()]);
  await postgres?.stop();
});

type Action = 'reserve' | 'charge' | 'refund' | 'release';

const actionOf = (method: string, path: string): Action => {
  if (path.endsWith('/release')) return 'release';
  if (path.endsWith('/refund')) return 'refund';
  return method === 'PUT' && path.startsWith('/payments/') ? 'charge' : 'reserve';
};

/** One costs 24.90: these are within the limit of a payment, 10,000, and the many are not. */
const affordable = { product_id: 1, quantity: 2, user_id: 'u-7' };
const tooMuch = { ...affordable, quantity: 500 };

/** Places an order, and lets the requests for it through with these faults. */
async function place(at: ServiceProcess, wanted: object, faultOf: (action: Action, nth: number) => Fault) {
  const { status, body } = await ask(`${at.url}/orders`, wanted);
  expect(status).toBe(201);
  const id = String(body.id);
  for (const proxy of [toInventory, toPayment]) {
    proxy.plan(id, ({ method, path, nth }) => faultOf(actionOf(method, path), nth));
  }
  return id;
}

const statusOf = async (id: string) => (await ask(`${order.url}/orders/${id}`)).body.status as string;

/** What the other services and the outbox have of an order that has ended. */
async function leftOf(id: string) {
  const of = async (url: string) => {
    const { status, body } = await ask(url);
    return status === 404 ? 'nothing' : (body.status as string);
  };
  const { rows } = await query<{ type: string }>(
    pool,
    `SELECT type FROM outbox WHERE body::jsonb ->> 'order_id' = $1 ORDER BY position`,
    [id],
  );
  return {
    order: await statusOf(id),
    reservation: await of(`${inventory.url}/reservations/${id}`),
    payment: await of(`${payment.url}/payments/${id}`),
    news: rows.map(({ type }) => type),
  };
}

const completed = {
  order: 'completed',
  reservation: 'reserved',
  payment: 'charged',
  news: ['OrderCreated', 'OrderCompleted'],
};
const compensated = (payment: string) => ({
  order: 'compensated',
  reservation: 'released',
  payment,
  news: ['OrderCreated', 'OrderCompensated'],
});

/** The first request of an action meets the fault, or as many as are said; everything else passes. */
const on =
  (action: Action, fault: Fault, times = 1) =>
  (asked: Action, nth: number): Fault =>
    asked === action && nth < times ? fault : 'none';

const anyTime: readonly Fault[] = ['lost request', 'lost answer', 'late answer', '503', 'twice'];

/** These run side by side, and `expect.poll` has to know its test: each uses the `expect` of its own. */
describe('an order whose', () => {
  it.concurrent.for(
    anyTime.flatMap((fault) => (['reserve', 'charge'] as const).map((action) => [action, fault] as const)),
  )('%s meets "%s" is completed, with one reservation and one payment', async ([action, fault], { expect }) => {
    const id = await place(order, affordable, on(action, fault));
    await expect.poll(() => statusOf(id), patient).toBe('completed');
    expect(await leftOf(id)).toEqual(completed);
  });

  it.concurrent.for(anyTime)(
    'payment is declined is compensated although the release meets "%s"',
    async (fault, { expect }) => {
      const id = await place(order, tooMuch, on('release', fault, fault === '503' ? 5 : 1));
      await expect.poll(() => statusOf(id), patient).toBe('compensated');
      expect(await leftOf(id)).toEqual(compensated('declined'));
    },
  );

  it.concurrent.for(anyTime)(
    'payment had no answer in time is refunded although the refund meets "%s"',
    async (fault, { expect }) => {
      const faultOf = (action: Action, nth: number) =>
        action === 'charge' ? 'lost answer' : on('refund', fault, fault === '503' ? 5 : 1)(action, nth);
      const id = await place(hasty, affordable, faultOf);
      await expect.poll(() => statusOf(id), patient).toBe('compensated');
      expect(await leftOf(id)).toEqual(compensated('refunded'));
    },
  );

  it.concurrent('reservation had no answer in time is released, and a reservation that comes later is refused', async ({
    expect,
  }) => {
    const id = await place(hasty, affordable, (action) => (action === 'reserve' ? '503' : 'none'));
    await expect.poll(() => statusOf(id), patient).toBe('compensated');
    const late = await fetch(`${inventory.url}/reservations/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ product_id: 1, quantity: 2 }),
    });
    expect(late.status).toBe(409);
    expect(await leftOf(id)).toEqual(compensated('nothing'));
  });

  it.concurrent('product is out of stock is compensated at once, and says why', async ({ expect }) => {
    const set = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"available": 1}' };
    expect((await fetch(`${inventory.url}/stock/4`, set)).status).toBe(200);
    const id = await place(order, { ...affordable, product_id: 4 }, () => 'none');
    await expect.poll(() => statusOf(id), patient).toBe('compensated');
    expect(await leftOf(id)).toEqual({ ...compensated('nothing'), reservation: 'nothing' });
    expect((await ask(`${order.url}/orders/${id}`)).body.reason).toContain('product 4');
  });
});

describe('GET /orders/{id}', () => {
  it('shows the steps that were taken and why the order did not come about', async () => {
    const id = await place(order, tooMuch, () => 'none');
    await expect.poll(() => statusOf(id), patient).toBe('compensated');
    const { body } = await ask(`${order.url}/orders/${id}`);
    expect(body).toMatchObject({
      reason: expect.stringMatching(/was declined: it is above the limit/),
      steps: [
        { name: 'reserve', status: 'undone', at: expect.any(String) },
        { name: 'charge', status: 'refused', at: expect.any(String) },
      ],
      waiting: null,
    });
  });

  it('shows what an order waits for', async () => {
    const id = await place(order, affordable, on('charge', '503', 3));
    const waiting = async () => (await ask(`${order.url}/orders/${id}`)).body.waiting;
    await expect.poll(waiting, patient).toMatchObject({
      attempts: expect.any(Number),
      reason: expect.stringContaining('503'),
      next_attempt_at: expect.any(String),
    });
    await expect.poll(waiting, patient).toBeNull();
    expect(await statusOf(id)).toBe('completed');
    const ended = [order, hasty].map(({ url }) => metric(url, 'orders_ended_total{status="completed"}'));
    expect(Math.max(...(await Promise.all(ended)).map((count) => count ?? 0))).toBeGreaterThan(0);
  });
});

describe('order-service, killed', () => {
  /** Both, as either may be at the step. Started again, they wait for the end of the lease of the dead. */
  async function killed(): Promise<void> {
    await Promise.all([order.stop('SIGKILL'), hasty.stop('SIGKILL')]);
    env = { ...env, ORDER_STEP_LEASE_MS: '1000' };
    [order, hasty] = await Promise.all([
      startOrders(),
      startService('order-service', { ...env, ORDER_DEADLINE_MS: '1000' }),
    ]);
    await query(pool, 'UPDATE sagas SET due_at = now()');
  }

  it.for([
    ['reserve', 'before', affordable, completed],
    ['reserve', 'after', affordable, completed],
    ['charge', 'before', affordable, completed],
    ['charge', 'after', affordable, completed],
    ['release', 'before', tooMuch, compensated('declined')],
    ['release', 'after', tooMuch, compensated('declined')],
  ] as const)('at the %s, %s it was done, goes on with the order', async ([at, when, wanted, end]) => {
    const reached = Promise.withResolvers<void>();
    const id = await place(order, wanted, (action, nth) => {
      if (action !== at || nth > 0) return 'none';
      reached.resolve();
      return when === 'before' ? 'lost request' : 'late answer';
    });
    await reached.promise;
    if (when === 'after') await new Promise((resolve) => setTimeout(resolve, 200));
    await killed();
    await expect.poll(() => statusOf(id), patient).toBe(end.order);
    expect(await leftOf(id)).toEqual(end);
  });

  it('at the refund goes on with it', async () => {
    const reached = Promise.withResolvers<void>();
    const id = await place(hasty, affordable, (action, nth) => {
      if (action === 'charge') return 'lost answer';
      if (action !== 'refund' || nth > 0) return 'none';
      reached.resolve();
      return 'late answer';
    });
    await reached.promise;
    await killed();
    await expect.poll(() => statusOf(id), patient).toBe('compensated');
    expect(await leftOf(id)).toEqual(compensated('refunded'));
  });
});
