import type { PoolClient } from 'pg';

/**
 * Notes, in the transaction that does the work, that the message with this id is dealt with. The broker may deliver
 * each more than once; the table `processed_messages` of the service's own database remembers them for seven days,
 * and every message that comes takes up to two forgotten ones away, so that the table does not grow for ever.
 *
 * @returns false when the message was dealt with before: then there is nothing to do
 */
export async function noteMessage(client: PoolClient, id: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `WITH old AS MATERIALIZED (
       SELECT id FROM processed_messages
       WHERE processed_at < now() - interval '7 days' AND id <> $1
       ORDER BY processed_at LIMIT 2 FOR UPDATE SKIP LOCKED),
     forgotten AS (DELETE FROM processed_messages USING old WHERE processed_messages.id = old.id)
     INSERT INTO processed_messages (id) VALUES ($1) ON CONFLICT DO NOTHING`,
    [id],
  );
  return rowCount === 1;
}
