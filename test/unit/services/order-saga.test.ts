import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OrderEvent, Recorded } from '../../../services/order-service/src/events.ts';
import { evolved, orderOf, statusOf, type VersionedOrder } from '../../../services/order-service/src/order.ts';
import { type Action, eventsAfter, nextAction } from '../../../services/order-service/src/saga.ts';

const placed: OrderEvent = { type: 'OrderPlaced', product_id: 2, quantity: 3, user_id: 'u', total: 22.5, degraded: [] };

function history(...events: readonly OrderEvent[]): readonly Recorded[] {
  return events.map((event, index) => ({ version: index + 1, event, at: new Date(index * 1000) }));
}

const order = (...events: readonly OrderEvent[]) => orderOf('o', history(placed, ...events));

function follow(from: VersionedOrder, events: readonly OrderEvent[]): VersionedOrder {
  return events.reduce((it, event) => evolved(it, { version: it.version + 1, event, at: new Date(0) }), from);
}

const done = { kind: 'done' } as const;
const refused = { kind: 'refused', reason: 'no' } as const;

describe('an order', () => {
  it('is what its events say', () => {
    const shown = order({ type: 'StockReserved' }, { type: 'PaymentRefused', reason: 'too much' });
    expect(shown).toEqual({
      id: 'o',
      product_id: 2,
      quantity: 3,
      user_id: 'u',
      total: 22.5,
      degraded: [],
      status: 'compensating',
      created_at: '1970-01-01T00:00:00.000Z',
      reason: 'too much',
      steps: [
        { name: 'reserve', status: 'done', at: '1970-01-01T00:00:01.000Z' },
        { name: 'charge', status: 'refused', at: '1970-01-01T00:00:02.000Z' },
      ],
      version: 3,
    });
  });

  it('is not made of a history with a gap, without a beginning, or with two', () => {
    const [first, second] = history(placed, { type: 'StockReserved' }) as [Recorded, Recorded];
    expect(() => orderOf('o', [])).toThrow('order o does not begin');
    expect(() => orderOf('o', [second])).toThrow('order o does not begin');
    expect(() => orderOf('o', [first, { ...second, version: 3 }])).toThrow('event 3 of order o follows 1');
    expect(() => orderOf('o', history(placed, placed))).toThrow('order o was placed twice');
  });
});

describe('the saga', () => {
  it.each<[string, readonly OrderEvent[], Action | undefined]>([
    ['a new order', [], 'reserve'],
    ['a reserved one', [{ type: 'StockReserved' }], 'charge'],
    ['a completed one', [{ type: 'StockReserved' }, { type: 'PaymentCharged' }, { type: 'OrderCompleted' }], undefined],
    ['one that cannot be paid', [{ type: 'StockReserved' }, { type: 'PaymentRefused', reason: '' }], 'release'],
    ['one without stock', [{ type: 'StockRefused', reason: '' }, { type: 'OrderCompensated' }], undefined],
    ['one that was late at the reservation', [{ type: 'OrderExpired', reason: '' }], 'release'],
    ['one that was late at the payment', [{ type: 'StockReserved' }, { type: 'OrderExpired', reason: '' }], 'refund'],
    [
      'one whose payment, late, is refunded',
      [{ type: 'StockReserved' }, { type: 'OrderExpired', reason: '' }, { type: 'PaymentRefunded' }],
      'release',
    ],
  ])('asks, for %s %j, for %s', (_title, events, action) => {
    expect(nextAction(order(...events))).toBe(action);
  });

  it.each<Action>(['refund', 'release'])('has no place for a %s that is refused', (action) => {
    expect(() => eventsAfter(action, refused)).toThrow(`${action} was refused: no`);
  });

  it('ends every order completed, or compensated with nothing left done, whatever is refused and whenever it expires', () => {
    const course = fc.record({
      refusals: fc.array(fc.constantFrom<Action>('reserve', 'charge')),
      expiresAt: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(course, ({ refusals, expiresAt }) => {
        let it = order();
        for (let round = 0; round < 10; round++) {
          const action = nextAction(it);
          if (action === undefined) break;
          const expires = it.status === 'created' && round === expiresAt;
          const outcome = refusals.includes(action) ? refused : done;
          it = follow(it, expires ? [{ type: 'OrderExpired', reason: 'late' }] : eventsAfter(action, outcome));
        }
        const steps = [statusOf(it, 'reserve'), statusOf(it, 'charge')];
        if (it.status === 'completed') expect(steps).toEqual(['done', 'done']);
        else {
          expect(it.status).toBe('compensated');
          expect(steps.filter((status) => status === 'done' || status === 'unknown')).toEqual([]);
          expect(it.reason).not.toBeNull();
        }
      }),
    );
  });
});
