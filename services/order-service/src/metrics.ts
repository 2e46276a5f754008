import type { Pool } from 'pg';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type Backlog, outboxBacklog } from './outbox.ts';

export interface OrderMetrics {
  readonly published: Counter<'type'>;
  readonly unroutable: Counter<'type'>;
}

/** The metrics of the outbox. Those of the backlog are the same in every replica: read the largest, not the sum. */
export function orderMetrics(registry: Registry, pool: Pool): OrderMetrics {
  const registers = [registry];
  const backlog = sharedBacklog(pool);
  const gauge = (name: string, help: string, read: (it: Backlog) => number) =>
    new Gauge({
      name,
      help: `${help} NaN while the database does not answer.`,
      registers,
      async collect() {
        this.set(read(await backlog()));
      },
    });
  gauge('outbox_pending', 'Messages that the broker has not confirmed yet.', (it) => it.pending);
  gauge('outbox_oldest_seconds', 'Age of the oldest of them; 0 when there is none.', (it) => it.oldestSeconds);

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

/** One question to the database for both gauges of a scrape. */
function sharedBacklog(pool: Pool): () => Promise<Backlog> {
  let asked: Promise<Backlog> | undefined;
  const unknown = { pending: Number.NaN, oldestSeconds: Number.NaN };
  return () => {
    asked ??= outboxBacklog(pool)
      .catch(() => unknown)
      .finally(() => {
        asked = undefined;
      });
    return asked;
  };
}
