import type { OrderEvent } from './events.ts';
import { type Order, statusOf } from './order.ts';

/** What another service is asked for. Each may be asked for any number of times and happens once. */
export type Action = 'reserve' | 'charge' | 'refund' | 'release';

/** An answer. That there was none is no outcome: then the same is asked again. */
export type Outcome = { readonly kind: 'done' } | { readonly kind: 'refused'; readonly reason: string };

/**
 * What is to be done next for an order, decided by nothing but its own history; undefined when it has ended.
 * Forwards: reserve, charge. Backwards, latest first: whatever was done, and whatever may have been.
 */
export function nextAction(order: Order): Action | undefined {
  if (order.status === 'created') return statusOf(order, 'reserve') === 'pending' ? 'reserve' : 'charge';
  if (order.status !== 'compensating') return undefined;
  return mayHaveHappened(order, 'charge') ? 'refund' : 'release';
}

/**
 * The events that an outcome means. The last one of an order ends it.
 * @throws Error when it refuses to be undone, which no service may do: it is asked again, until a person has a look
 */
export function eventsAfter(action: Action, outcome: Outcome): readonly OrderEvent[] {
  switch (action) {
    case 'reserve':
      if (outcome.kind === 'done') return [{ type: 'StockReserved' }];
      // Nothing was kept, so there is nothing to undo.
      return [{ type: 'StockRefused', reason: outcome.reason }, { type: 'OrderCompensated' }];
    case 'charge':
      if (outcome.kind === 'done') return [{ type: 'PaymentCharged' }, { type: 'OrderCompleted' }];
      return [{ type: 'PaymentRefused', reason: outcome.reason }];
    case 'refund':
      requireDone(action, outcome);
      return [{ type: 'PaymentRefunded' }];
    case 'release':
      requireDone(action, outcome);
      return [{ type: 'StockReleased' }, { type: 'OrderCompensated' }];
  }
}

function requireDone(action: Action, outcome: Outcome): void {
  if (outcome.kind === 'refused') throw new Error(`${action} was refused: ${outcome.reason}`);
}

function mayHaveHappened(order: Order, step: 'reserve' | 'charge'): boolean {
  return ['done', 'unknown'].includes(statusOf(order, step));
}
