import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { database, query, transaction } from '../../../services/common/src/database/postgres.ts';
import { recordingLog } from '../../support/database.ts';

/** A message of the PostgreSQL protocol: its type, its length and its content. */
function message(type: string, ...content: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(content.map((it) => Buffer.from(it as string)));
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const authenticated = message('R', Buffer.alloc(4));
const ready = message('Z', 'I');
const shutDown = message('E', 'SFATAL\0', 'C57P01\0', 'Mterminating connection due to administrator command\0', '\0');

let server: Server | undefined;
afterEach(() => server?.close());

/** A server that opens a session and ends it with the same packet, as one does that is told to stop just then. */
async function endingAtOnce(): Promise<number> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, shutDown])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('a connection that ends in the moment it is lent', () => {
  it.each([
    ['query', (pool: ReturnType<typeof database>) => query(pool, 'SELECT 1')],
    ['transaction', (pool: ReturnType<typeof database>) => transaction(pool, async () => undefined)],
  ])('makes the %s fail as unavailable, and not the process', async (_, work) => {
    const settings = { dbHost: '127.0.0.1', dbPort: await endingAtOnce(), dbUser: 'u', dbPassword: 'p', dbName: 'd' };
    const pool = database(settings, recordingLog());
    await expect(work(pool)).rejects.toMatchObject({ code: 'unavailable' });
    await pool.end();
  });
});
