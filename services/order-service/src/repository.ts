import { Problem, query, transaction } from '@microservice-platform/common';
import type { Pool } from 'pg';
import { begin, claim, moveOn, postpone, waitingFor } from './due.ts';
import { appendEvents, readHistory } from './history.ts';
import { answerBefore, claimKey, keepAnswer } from './idempotency.ts';
import { evolved, orderOf } from './order.ts';
import type { Orders } from './orders.ts';
import { addMessage } from './outbox.ts';
import type { Sagas } from './runner.ts';
import { columns, project, viewed } from './view.ts';

/** Orders in PostgreSQL; a new one has `deadlineMs` to get through. */
export function storedOrders(pool: Pool, deadlineMs: number): Orders {
  return {
    before: (request) => answerBefore({ query: query.bind(undefined, pool) as Pool['query'] }, request),

    place: ({ id, ...placed }, request) =>
      transaction(pool, async (client) => {
        await claimKey(client, request);
        const before = await answerBefore(client, request);
        if (before !== undefined) return { order: before, replayed: true };
        const added = orderOf(id, await appendEvents(client, id, 0, [{ type: 'OrderPlaced', ...placed }]));
        await project(client, added);
        await begin(client, id, deadlineMs);
        await addMessage(client, 'OrderCreated', added);
        const { version: _version, ...order } = added;
        await keepAnswer(client, request, order);
        return { order, replayed: false };
      }),

    find: async (id) => {
      const { rows } = await query<Parameters<typeof viewed>[0]>(pool, `SELECT ${columns} FROM orders WHERE id = $1`, [
        id,
      ]);
      const [row] = rows;
      return row && { ...viewed(row), waiting: await waitingFor(pool, id) };
    },

    history: (id) => readHistory({ query: query.bind(undefined, pool) as Pool['query'] }, id),

    page: async ({ limit, after }) => {
      const { rows } = await query<Parameters<typeof viewed>[0]>(
        pool,
        `SELECT ${columns} FROM orders WHERE position > $1 ORDER BY position LIMIT $2`,
        [after === undefined ? 0 : await positionOf(pool, after), limit + 1],
      );
      const items = rows.slice(0, limit).map(viewed);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  };
}

/** The orders that have not ended, in PostgreSQL. A process that takes one on has `leaseMs` for each step. */
export function storedSagas(pool: Pool, leaseMs: number): Sagas {
  return {
    claim: (limit) => claim(pool, limit, leaseMs),
    load: (id) => transaction(pool, async (client) => orderOf(id, await readHistory(client, id))),
    record: (order, events) =>
      transaction(pool, async (client) => {
        const recorded = await appendEvents(client, order.id, order.version, events);
        const changed = recorded.reduce(evolved, order);
        await project(client, changed);
        const hasEnded = changed.status === 'completed' || changed.status === 'compensated';
        await moveOn(client, order.id, hasEnded ? 'ended' : { leaseMs });
        if (changed.status === 'completed') await addMessage(client, 'OrderCompleted', changed);
        if (changed.status === 'compensated') await addMessage(client, 'OrderCompensated', changed);
        return changed;
      }),
    postpone: (id, pauseMs, reason) => postpone(pool, id, pauseMs, reason),
  };
}

async function positionOf(pool: Pool, id: string): Promise<string> {
  const { rows } = await query<{ position: string }>(pool, 'SELECT position FROM orders WHERE id = $1', [id]);
  if (rows[0] !== undefined) return rows[0].position;
  const message = 'after is not the id of an order';
  throw new Problem('invalid_request', message, { errors: [{ field: 'after', message }] });
}
