import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** PostgreSQL's number for "this is no session, cancel what another one does". */
const cancelRequest = 80_877_102;
const cancelMs = 1_000;
const repeatMs = 50;

/** What the server calls a session by, and the secret that allows cancelling in it; the driver's types omit both. */
interface BackendKey {
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/**
 * Has the server cancel the statement that the connection runs. Asks again until `ended` is aborted, because a request
 * that overtakes the statement is lost. Returns when no request is on its way any more: the next statement is not hit.
 *
 * @throws when a request cannot be made, or its end is not seen: the connection must not be used again
 */
export async function cancelStatement(
  client: pg.ClientBase,
  { host, port }: pg.PoolOptions,
  ended: AbortSignal,
): Promise<void> {
  const { processID, secretKey } = client as unknown as BackendKey;
  if (processID === null || secretKey === null) throw new Error('the connection has no key to cancel with');
  const request = Buffer.alloc(16);
  request.writeInt32BE(request.length, 0);
  request.writeInt32BE(cancelRequest, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);

  while (!ended.aborted) {
    await deliver(request, { host, port: port ?? 5432 });
    await sleep(repeatMs, undefined, { signal: ended }).catch(() => undefined);
  }
}

/** The server says nothing; it closes the connection once its signal to the session is sent. */
async function deliver(request: Buffer, address: { host: string | undefined; port: number }): Promise<void> {
  const socket = connect(address);
  try {
    socket.write(request);
    socket.resume(); // only a reader sees the end
    await once(socket, 'end', { signal: AbortSignal.timeout(cancelMs) });
  } finally {
    socket.destroy();
  }
}
