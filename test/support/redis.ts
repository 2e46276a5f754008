import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './daemon.ts';
import { eventually } from './eventually.ts';

/** A real Redis on loopback that keeps nothing on disk; its port outlives its process. */
export interface Redis {
  readonly port: number;
  readonly url: string;
  /** It keeps its connections and answers nothing. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly kill: () => Promise<void>;
  /** Starts it again, empty. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  let child: ChildProcess | undefined;

  const start = async () => {
    child = spawn('setpriv', ['--pdeathsig=KILL', '--', 'redis-server', ...args], { stdio: 'ignore' });
    await eventually(() => pong(port));
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };

  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    kill,
    start,
    stop: async () => {
      await kill();
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
