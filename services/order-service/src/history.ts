import { query } from '@microservice-platform/common';
import type { Pool, PoolClient } from 'pg';
import type { OrderEvent, Recorded } from './events.ts';

interface Row {
  readonly version: number;
  readonly type: OrderEvent['type'];
  readonly data: object;
  readonly at: Date;
}

/** The events of an order, oldest first; none when there is no such order. */
export async function readHistory(client: Pick<PoolClient, 'query'>, id: string): Promise<readonly Recorded[]> {
  const { rows } = await client.query<Row>(
    'SELECT version, type, data, at FROM order_events WHERE order_id = $1 ORDER BY version',
    [id],
  );
  return rows.map(recorded);
}

/** The events of each of these orders that follow the version given with it. */
export async function readNews(
  pool: Pool,
  after: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, readonly Recorded[]>> {
  const { rows } = await query<Row & { readonly order_id: string }>(
    pool,
    `SELECT order_id, order_events.version, type, data, at
     FROM unnest($1::uuid[], $2::integer[]) AS known (id, version)
     JOIN order_events ON order_id = known.id AND order_events.version > known.version
     ORDER BY order_events.version`,
    [[...after.keys()], [...after.values()]],
  );
  const news = Map.groupBy(rows, ({ order_id }) => order_id);
  return new Map([...news].map(([id, its]) => [id, its.map(recorded)]));
}

/**
 * Adds events that follow version `after`, inside the caller's transaction.
 *
 * @throws HistoryConflict when somebody else has added one meanwhile
 */
export async function appendEvents(
  client: PoolClient,
  id: string,
  after: number,
  events: readonly OrderEvent[],
): Promise<readonly Recorded[]> {
  const columns = events.map(({ type, ...data }, index) => ({ version: after + index + 1, type, data }));
  try {
    const { rows } = await client.query<Row>(
      `INSERT INTO order_events (order_id, version, type, data)
       SELECT $1, version, type, data FROM jsonb_to_recordset($2) AS it (version integer, type text, data jsonb)
       ORDER BY version RETURNING version, type, data, at`,
      [id, JSON.stringify(columns)],
    );
    return rows.map(recorded);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === uniqueViolation) throw new HistoryConflict(id);
    throw error;
  }
}

/** Two writers wanted to add the next event of an order; this one came second, and nothing of it was kept. */
export class HistoryConflict extends Error {
  override readonly name = 'HistoryConflict';
  constructor(id: string) {
    super(`order ${id} has moved on meanwhile`);
  }
}

const uniqueViolation = '23505';

function recorded({ version, type, data, at }: Row): Recorded {
  return { version, at, event: { type, ...data } as OrderEvent };
}
