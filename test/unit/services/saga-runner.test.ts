import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { sagaMetrics } from '../../../services/order-service/src/metrics.ts';
import { orderOf } from '../../../services/order-service/src/order.ts';
import { type Sagas, sagaRunner } from '../../../services/order-service/src/runner.ts';
import { recordingLog } from '../../support/database.ts';

const placed = { type: 'OrderPlaced', product_id: 1, quantity: 1, user_id: 'u', total: 1, degraded: [] } as const;

describe('the runner of the sagas', () => {
  it('lets the process go on when it was given more orders than it asked for, and ends in order', async () => {
    let given = 0;
    const sagas: Sagas = {
      claim: async (limit) => {
        const due = { deadline_at: new Date(Date.now() + 60_000), attempts: 1, traceparent: null };
        given += limit + 2;
        return Array.from({ length: limit + 2 }, () => ({ ...due, order_id: crypto.randomUUID() }));
      },
      load: async (id) => orderOf(id, [{ version: 1, event: placed, at: new Date() }]),
      record: async (order) => order,
      postpone: async () => undefined,
    };
    const answers = Promise.withResolvers<never>();
    const runner = sagaRunner(sagas, () => answers.promise, {
      log: recordingLog(),
      metrics: sagaMetrics(new Registry()),
      onEnded: () => undefined,
    });
    runner.start();
    await sleep(50); // never over, were it to look for more without a pause
    expect(given).toBe(8);
    answers.reject(new Error('no answer'));
    await runner.close();
  });
});
