import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server that a test started: it dies with the test, even when the test is killed. */
export interface Daemon {
  /** Resolves when `probe` says true; fails with the server's own last words when it ends or takes too long. */
  ready(probe: () => Promise<boolean>, withinMs: number): Promise<void>;
  /** Sends the signal and waits for the end; after 20 seconds the process is killed. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface DaemonOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whom the process runs as, for servers that refuse root. */
  readonly owner?: Owner | undefined;
}

const END_MS = 20_000;

/** Starts `command` without a shell. Its output is kept for the message of a failure. */
export function startDaemon(name: string, command: string, options: DaemonOptions): Daemon {
  const { owner } = options;
  const drop = owner ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'] : [];
  const child = spawn('setpriv', ['--pdeathsig=KILL', ...drop, '--', command, ...options.args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = once(child, 'close').catch((error: unknown) => {
    output += String(error);
  });
  const running = () => child.exitCode === null && child.signalCode === null;

  return {
    async ready(probe, withinMs) {
      const deadline = Date.now() + withinMs;
      while (!(await probe())) {
        if (!running()) throw new Error(`${name} ended while starting:\n${output}`);
        if (Date.now() > deadline) {
          child.kill('SIGKILL');
          throw new Error(`${name} was not ready within ${withinMs} ms:\n${output}`);
        }
        await sleep(50);
      }
    },
    async end(signal) {
      if (!running()) return;
      child.kill(signal);
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

/** A port of the loopback interface that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port given');
  return address.port;
}

/** The account a server runs as when the tests run as root; undefined when they do not. */
export function serviceUser(name: string): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
