import { within } from '@microservice-platform/common';
import type { Pool } from 'pg';
import { Counter, Gauge, type Registry } from 'prom-client';
import { unfinishedOrders } from './due.ts';
import { outboxBacklog } from './outbox.ts';

export interface OrderMetrics {
  readonly published: Counter<'type'>;
  readonly unroutable: Counter<'type'>;
}

/** The metrics of the outbox. Those of the backlog are the same in every replica: read the largest, not the sum. */
export function orderMetrics(registry: Registry, pool: Pool): OrderMetrics {
  const registers = [registry];
  const backlog = shared(() => outboxBacklog(pool));
  const gauge = storedGauges(registry);
  gauge('outbox_pending', 'Messages that the broker has not confirmed yet.', backlog, (it) => it.pending);
  gauge('outbox_oldest_seconds', 'Age of the oldest of them; 0 when there is none.', backlog, (it) => it.oldestSeconds);
  const orders = shared(() => unfinishedOrders(pool));
  gauge('orders_unfinished', 'Orders that are neither completed nor compensated.', orders, (it) => it.count);
  gauge(
    'orders_oldest_unfinished_seconds',
    'Age of the oldest of them; 0 when there is none.',
    orders,
    (it) => it.oldestSeconds,
  );

  const counter = (name: string, help: string) => new Counter({ name, help, labelNames: ['type'], registers });
  return {
    published: counter('messages_published_total', 'Messages that the broker has confirmed.'),
    unroutable: counter('messages_unroutable_total', 'Messages that the broker gave back, since no queue takes them.'),
  };
}

export interface SagaMetrics {
  readonly steps: Counter<'action' | 'outcome'>;
  readonly ended: Counter<'status'>;
}

/** The metrics of the saga. `outcome` is done, refused, or none when there was no answer that tells. */
export function sagaMetrics(registry: Registry): SagaMetrics {
  const registers = [registry];
  return {
    steps: new Counter({
      name: 'saga_steps_total',
      help: 'Attempts at a step of an order, by action and outcome.',
      labelNames: ['action', 'outcome'],
      registers,
    }),
    ended: new Counter({
      name: 'orders_ended_total',
      help: 'Orders that have ended, by their last status.',
      labelNames: ['status'],
      registers,
    }),
  };
}

/** A scrape waits no longer for the database. */
const askMs = 2_000;

function storedGauges(registry: Registry) {
  return <T>(name: string, help: string, ask: () => Promise<T | undefined>, read: (it: T) => number) =>
    new Gauge({
      name,
      help: `${help} NaN while the database does not answer.`,
      registers: [registry],
      async collect() {
        const answer = await ask();
        this.set(answer === undefined ? Number.NaN : read(answer));
      },
    });
}

/** One question to the database for all gauges of a scrape that it answers; undefined when it does not answer. */
function shared<T>(ask: () => Promise<T>): () => Promise<T | undefined> {
  let asked: Promise<T | undefined> | undefined;
  return () => {
    asked ??= within(askMs, 'database', ask())
      .catch(() => undefined)
      .finally(() => {
        asked = undefined;
      });
    return asked;
  };
}
