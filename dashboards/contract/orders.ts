import { counter, gauge, type Signals, warn } from './signal.ts';

/** What order-service tells of the orders themselves. */
export const orders: Signals = {
  metrics: [
    counter('saga_steps_total', ['action', 'outcome'], 'Attempts at a step of an order.', { after: 'the first order' }),
    counter('orders_ended_total', ['status'], 'Orders that have ended, by their last status.', {
      after: 'the first order',
    }),
    gauge('orders_unfinished', [], 'Orders neither completed nor compensated; the same at each replica.'),
    gauge('orders_oldest_unfinished_seconds', [], 'Age of the oldest of them; the same at each replica.'),
    gauge('order_followers', [], 'Callers that follow the events of an order at this process.'),
  ],
  spans: [
    {
      name: 'saga',
      kind: 'internal',
      always: ['order.id'],
      meaning: 'An order that is taken on, in the trace of the request that placed it.',
    },
    {
      name: 'saga {saga.action}',
      kind: 'internal',
      always: ['order.id', 'saga.action'],
      meaning: 'A step of it.',
    },
  ],
  lines: [
    warn('no orders can be taken on; looking again in a moment', ['reason']),
    warn('the order is taken on when its lease ends', ['order_id', 'reason']),
    warn('a step of the order has no outcome', ['order_id', 'reason', 'attempts', 'retry_in_ms']),
    warn('no news of orders until the database answers again', ['reason']),
  ],
};
