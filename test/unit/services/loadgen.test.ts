import fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../../services/loadgen/src/gateway.ts';
import { runLoad } from '../../../services/loadgen/src/load.ts';
import { messages } from '../../../services/loadgen/src/messages.ts';
import { keepPace } from '../../../services/loadgen/src/pace.ts';
import { quantiles } from '../../../services/loadgen/src/quantiles.ts';
import { type Failure, tally } from '../../../services/loadgen/src/tally.ts';
import { type Cast, traffic, type Wanted } from '../../../services/loadgen/src/traffic.ts';

const cast: Cast = { userIds: ['ada', 'bob'], productIds: [1, 2, 5] };
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function first(count: number, seed: number, of = cast): readonly Wanted[] {
  const wanted = traffic(seed, of);
  return Array.from({ length: count }, () => wanted.next().value);
}

describe('the traffic', () => {
  it('is the same for the same seed, and another for another', () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, other) => {
        expect(first(200, seed)).toEqual(first(200, seed));
        return seed === other || JSON.stringify(first(50, seed)) !== JSON.stringify(first(50, other));
      }),
    );
  });

  it('asks for nobody and nothing but the cast, in quantities that are sold', () => {
    const casts = fc.record({
      userIds: fc.array(fc.uuid(), { minLength: 1 }),
      productIds: fc.array(fc.nat(), { minLength: 1 }),
    });
    fc.assert(
      fc.property(seeds, casts, (seed, of) => {
        for (const wanted of first(100, seed, of)) {
          if ('productId' in wanted) expect(of.productIds).toContain(wanted.productId);
          if ('userId' in wanted) expect(of.userIds).toContain(wanted.userId);
          if (wanted.kind === 'place_order') {
            expect([1, 2, 3]).toContain(wanted.quantity);
          }
          if ('pick' in wanted) expect(Math.floor(wanted.pick)).toBe(0);
        }
      }),
    );
  });

  it('is a customer who looks, orders and looks after the order, and asks every service of the shop', () => {
    const kinds = Map.groupBy(first(20_000, 7), ({ kind }) => kind);
    const shares = Object.fromEntries([...kinds].map(([kind, all]) => [kind, Math.round((all.length / 20_000) * 20)]));
    expect(shares).toEqual({
      list_products: 3,
      read_product: 5,
      place_order: 5,
      read_order: 3,
      read_notifications: 1,
      read_user: 1,
      read_stock: 1,
      list_sales: 1,
    });
  });
});

describe('a constant rate', () => {
  /** A clock that oversleeps as it is told, and on which every start takes as long as it is told. */
  function badClock(overslept: readonly number[], busy: readonly number[]) {
    let now = 1_000;
    let slept = 0;
    let started = 0;
    return {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms + (overslept[slept++ % overslept.length] ?? 0);
      },
      start: () => {
        now += busy[started++ % busy.length] ?? 0;
      },
    };
  }
  const delays = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 20 });

  it('starts each thing once, never before it is due, and is due by the first one alone', async () => {
    const counts = fc.nat({ max: 100 });
    await fc.assert(
      fc.asyncProperty(counts, fc.integer({ min: 1, max: 2_000 }), delays, delays, async (count, rate, late, busy) => {
        const clock = badClock(late, busy);
        const dues: number[] = [];
        await keepPace({ rate, count, signal: new AbortController().signal }, clock, (dueAt) => {
          expect(clock.now()).toBeGreaterThanOrEqual(dueAt);
          dues.push(dueAt);
          clock.start();
        });
        expect(dues).toEqual(Array.from({ length: count }, (_, number) => 1_000 + (number * 1_000) / rate));
      }),
    );
  });

  it('is caught up with at once after a pause', async () => {
    const clock = badClock([0], [3_000, ...Array<number>(39).fill(0)]);
    const startedAt: number[] = [];
    await keepPace({ rate: 10, count: 40, signal: new AbortController().signal }, clock, () => {
      startedAt.push(clock.now());
      clock.start();
    });
    expect(startedAt.filter((at) => at === 4_000)).toHaveLength(30); // due while the first one took 3 s
    expect(startedAt.at(-1)).toBe(4_900);
  });

  it('ends when it is told to', async () => {
    const stopping = new AbortController();
    let started = 0;
    await keepPace({ rate: 10, count: Number.POSITIVE_INFINITY, signal: stopping.signal }, badClock([0], [0]), () => {
      started += 1;
      if (started === 5) stopping.abort();
    });
    expect(started).toBe(5);
  });
});

describe('a run', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  /** Every request that is sent, by its id, when each is under way while ten more become due. */
  async function sentBy(maxInFlight: number): Promise<ReadonlyMap<string, string>> {
    const sent = new Map<string, string>();
    const shop: Gateway = {
      send: async ({ method, path, headers }) => {
        sent.set(headers?.['x-request-id'] ?? '', `${method} ${path}`);
        for (let turns = 0; turns < 10; turns += 1) await turn();
        return { outcome: 'answered' };
      },
      close: async () => undefined,
    };
    let now = 0;
    const sleep = async (ms: number) => {
      now += ms;
      await turn();
    };
    await runLoad(
      { rate: 50, count: 200, seed: 3, cast, run: 'r', maxInFlight, signal: new AbortController().signal },
      {
        shop,
        authorization: () => 'Bearer x',
        tally: tally(new Registry()),
        clock: { now: () => now, sleep },
        onFailure: () => undefined,
      },
    );
    return sent;
  }

  it('sends the same request at the same place, whatever was dropped before it', async () => {
    const [all, some] = [await sentBy(1_000), await sentBy(2)];
    expect(all.size).toBe(200);
    expect(some.size).toBeLessThan(150);
    for (const [id, request] of some) expect(request).toBe(all.get(id));
  });
});

describe('the durations of a run', () => {
  it('are told within one percent, never too low', () => {
    const some = fc.array(fc.double({ min: 0.02, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(some, fc.constantFrom(0.01, 0.5, 0.99, 1), (all, q) => {
        const kept = quantiles();
        for (const ms of all) kept.add(ms);
        const exact = all.sort((a, b) => a - b)[Math.max(1, Math.ceil(q * all.length)) - 1] ?? Number.NaN;
        expect(kept.at(q)).toBeGreaterThanOrEqual(exact * 0.999999);
        expect(kept.at(q)).toBeLessThanOrEqual(exact * 1.010001);
      }),
    );
  });

  it('are none before there was one', () => {
    expect(quantiles().at(0.5)).toBeUndefined();
  });
});

describe('the summary', () => {
  it('has every request that was sent in exactly one of answered and failed', () => {
    const ends = fc.constantFrom<'answered' | 'dropped' | Failure>(
      'answered',
      'dropped',
      'timeout',
      'body',
      'status_503',
    );
    fc.assert(
      fc.property(fc.array(ends), (all) => {
        const counts = tally(new Registry());
        for (const end of all) {
          if (end === 'dropped') counts.dropped('place_order');
          else {
            counts.sent(0);
            counts.ended('place_order', end, 1);
          }
        }
        const { sent, answered, failed, dropped } = counts.summary();
        expect(sent).toBe(answered + Object.values(failed).reduce((sum, count) => sum + count, 0));
        expect(sent + dropped).toBe(all.length);
        expect(failed.status_503 ?? 0).toBe(all.filter((end) => end === 'status_503').length);
      }),
    );
  });
});

describe('the requests', () => {
  const order = { kind: 'place_order', productId: 2, userId: 'ada', quantity: 3 } as const;

  it('place an order with a key of its own, and take nothing for an answer but that order', () => {
    const message = messages(() => 'Bearer x')(order, 'run-7');
    expect(message).toMatchObject({
      method: 'POST',
      path: '/orders',
      body: { product_id: 2, quantity: 3, user_id: 'ada' },
      headers: { 'idempotency-key': '"run-7"', 'x-request-id': 'run-7' },
      status: 201,
    });
    expect(message.accept({ id: 'o-1', user_id: 'ada' })).toBe(true);
    expect(message.accept({ id: 'o-1', user_id: 'bob' })).toBe(false);
    expect(message.accept({ user_id: 'ada' })).toBe(false);
  });

  it('read back an order that was accepted, and the list while there is none', () => {
    const messageOf = messages(() => 'Bearer x');
    expect(messageOf({ kind: 'read_order', pick: 0.9 }, 'r').path).toBe('/orders');
    for (const id of ['o-1', 'o-2']) messageOf(order, 'r').accept({ id, user_id: 'ada' });
    const readBack = messageOf({ kind: 'read_order', pick: 0.9 }, 'r');
    expect(readBack.path).toBe('/orders/o-2');
    expect(readBack.accept({ id: 'o-2' })).toBe(true);
    expect(readBack.accept({ id: 'o-1' })).toBe(false);
  });

  it('ask each service of the shop for what it has, and take nothing else for an answer', () => {
    const messageOf = messages(() => 'Bearer x');
    const page = { right: { items: [] }, wrong: {} };
    const asked: readonly (readonly [wanted: Wanted, path: string, answers: { right: object; wrong: object }])[] = [
      [{ kind: 'list_products' }, '/products', page],
      [{ kind: 'read_product', productId: 3 }, '/products/3', { right: { id: 3 }, wrong: { id: 4 } }],
      [{ kind: 'read_user', userId: 'ada' }, '/users/ada', { right: { id: 'ada' }, wrong: { id: 'bob' } }],
      [{ kind: 'read_stock', productId: 3 }, '/stock/3', { right: { product_id: 3 }, wrong: { product_id: 4 } }],
      [{ kind: 'list_sales' }, '/analytics/products', page],
    ];
    for (const [wanted, path, { right, wrong }] of asked) {
      const message = messageOf(wanted, 'r');
      expect(message).toMatchObject({ method: 'GET', path, status: 200 });
      expect([message.accept({ ...right }), message.accept({ ...wrong })]).toEqual([true, false]);
    }
    messageOf(order, 'r').accept({ id: 'o-1', user_id: 'ada' });
    expect(messageOf({ kind: 'read_notifications', pick: 0 }, 'r').path).toBe('/notifications?order_id=o-1');
  });

  it('remember so many orders only that a run without end does not fill the memory', () => {
    const messageOf = messages(() => 'Bearer x');
    for (let number = 0; number < 1_500; number += 1) {
      messageOf(order, 'r').accept({ id: `o-${number}`, user_id: 'ada' });
    }
    expect(messageOf({ kind: 'read_order', pick: 0 }, 'r').path).toBe('/orders/o-500');
  });
});
