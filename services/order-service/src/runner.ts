import { backoffMs, extractContext, type Log, SpanKind, withSpan } from '@microservice-platform/common';
import type { Act } from './actions.ts';
import { bell } from './bell.ts';
import type { Due } from './due.ts';
import type { OrderEvent } from './events.ts';
import { HistoryConflict } from './history.ts';
import type { SagaMetrics } from './metrics.ts';
import type { VersionedOrder } from './order.ts';
import { type Action, eventsAfter, nextAction } from './saga.ts';

/** Where orders wait for their steps, and what becomes of them is kept. */
export interface Sagas {
  readonly claim: (limit: number) => Promise<readonly Due[]>;
  readonly load: (id: string) => Promise<VersionedOrder>;
  /** @throws HistoryConflict */
  readonly record: (order: VersionedOrder, events: readonly OrderEvent[]) => Promise<VersionedOrder>;
  readonly postpone: (id: string, pauseMs: number, reason: string | null) => Promise<void>;
}

export interface SagaRunner {
  /** Says that there is a new order, so that it need not wait for the next look. */
  readonly nudge: () => void;
  readonly start: () => void;
  /** Takes nothing new and waits for the steps that are being taken. */
  readonly close: () => Promise<void>;
}

export interface Surroundings {
  readonly log: Log;
  readonly metrics: SagaMetrics;
  /** Told when an order has ended: there is news of it. */
  readonly onEnded: () => void;
}

/** Steps at the same time: no more than the pool has connections for, and requests of customers need some too. */
const concurrency = 6;
/** Finds orders whose pause or lease has ended; new ones come by nudge. */
const pollMs = 1000;

/**
 * Takes each order through its steps to its end. All that counts is in the database: a process may die at any point,
 * and another one asks for the same step again, which happens once. Several replicas may run at once.
 */
export function sagaRunner(sagas: Sagas, act: Act, { log, metrics, onEnded }: Surroundings): SagaRunner {
  const news = bell();
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  let ended: Promise<void> = Promise.resolve();

  const run = async () => {
    while (!stop.signal.aborted) {
      const free = concurrency - running.size;
      const due = free > 0 ? await sagas.claim(free).catch(unclaimed) : [];
      for (const it of due) {
        const task = inItsTrace(it, () => advance(it)).finally(() => {
          running.delete(task);
          news.ring();
        });
        running.add(task);
      }
      const mayBeMore = free > 0 && due.length >= free;
      if (!mayBeMore) await news.heard(pollMs, stop.signal);
    }
    await Promise.all(running);
  };
  const unclaimed = (error: unknown): readonly Due[] => {
    log.warn({ reason: String(error) }, 'no orders can be taken on; looking again in a moment');
    return [];
  };

  const advance = async (due: Due): Promise<void> => {
    let { attempts } = due;
    try {
      let order = await sagas.load(due.order_id);
      for (let action = nextAction(order); action !== undefined; action = nextAction(order)) {
        if (stop.signal.aborted) return await sagas.postpone(due.order_id, 0, null); // for another replica, at once
        order = await sagas.record(order, await eventsOf(order, action, due));
        attempts = 1;
      }
      metrics.ended.inc({ status: order.status });
      onEnded();
    } catch (error) {
      if (error instanceof HistoryConflict) return; // somebody else takes it on
      await giveUp(due.order_id, attempts, error).catch((again: unknown) => {
        log.warn({ order_id: due.order_id, reason: String(again) }, 'the order is taken on when its lease ends');
      });
    }
  };

  const eventsOf = async (order: VersionedOrder, action: Action, due: Due): Promise<readonly OrderEvent[]> => {
    if (order.status === 'created' && due.deadline_at.getTime() <= Date.now()) {
      return [{ type: 'OrderExpired', reason: `${action} had no outcome in time` }];
    }
    const attributes = { 'order.id': order.id, 'saga.action': action };
    try {
      const outcome = await withSpan(`saga ${action}`, { kind: SpanKind.INTERNAL, attributes }, () =>
        act(action, order),
      );
      metrics.steps.inc({ action, outcome: outcome.kind });
      return eventsAfter(action, outcome);
    } catch (error) {
      metrics.steps.inc({ action, outcome: 'none' });
      throw error;
    }
  };

  const giveUp = async (order_id: string, attempts: number, error: unknown): Promise<void> => {
    const reason = error instanceof Error ? error.message : String(error);
    const pauseMs = Math.round(backoffMs(attempts));
    log.warn({ order_id, reason, attempts, retry_in_ms: pauseMs }, 'a step of the order has no outcome');
    await sagas.postpone(order_id, pauseMs, reason);
  };

  return {
    nudge: news.ring,
    start: () => {
      ended = run();
    },
    close: async () => {
      stop.abort();
      news.ring();
      await ended;
    },
  };
}

/** What is done for an order belongs to the trace in which it was placed, and so does the news of its end. */
function inItsTrace(due: Due, work: () => Promise<void>): Promise<void> {
  const parent = extractContext({ traceparent: due.traceparent ?? undefined });
  return withSpan('saga', { kind: SpanKind.INTERNAL, parent, attributes: { 'order.id': due.order_id } }, work);
}
