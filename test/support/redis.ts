import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './daemon.ts';
import { type Restartable, restartable } from './restartable.ts';

/** A real Redis on loopback that keeps nothing on disk, so that it starts again empty; its port outlives its process. */
export interface Redis extends Restartable {
  readonly port: number;
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = restartable('redis-server', args, () => pong(port));
  await server.start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    ...server,
    stop: async () => {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function pong(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('PING\r\n');
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(1_000) })) as [Buffer];
    if (!answer.toString().startsWith('+PONG')) throw new Error(`Redis answered ${answer.toString()}`);
  } finally {
    socket.destroy();
  }
}
