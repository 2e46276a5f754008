import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const root = new URL('../../', import.meta.url);
const startMs = 30_000;

export type LogLine = Readonly<Record<string, unknown>>;

/** A service as it runs in a pod: a process of its own, with telemetry loaded before it. */
export interface ServiceProcess {
  readonly url: string;
  /** Where its gRPC server listens, if it has one. */
  readonly grpcAddress: string;
  /** Everything it has logged so far; lines that are not JSON as `{ msg }`. */
  readonly log: readonly LogLine[];
  readonly child: ChildProcess;
  /** Sends the signal and waits for the end of the process. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Starts a service on ports of the system's choice and waits until it is ready for requests. */
export async function startService(name: string, env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const { child, log, ended } = runService(name, env);
  const port = (message: string, field: string) => log.find(({ msg }) => msg === message)?.[field];
  const deadline = Date.now() + startMs;
  while (port('ready for requests', 'port') === undefined) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} did not become ready: ${JSON.stringify(log.slice(-10), null, 1)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url: `http://127.0.0.1:${String(port('ready for requests', 'port'))}`,
    grpcAddress: `127.0.0.1:${String(port('gRPC server listening', 'grpc_port'))}`,
    log,
    child,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await ended;
    },
  };
}

/** Runs a service without waiting for anything: for those that are expected to end by themselves. */
export function runService(name: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const child = spawn(
    'setpriv', // becomes Node itself; with it, the service dies with the test
    [
      '--pdeathsig=KILL',
      '--',
      process.execPath,
      '--import',
      './services/common/src/telemetry/telemetry.ts',
      `services/${name}/src/main.ts`,
      ...args,
    ],
    {
      cwd: root,
      env: { PATH: process.env.PATH, ...defaults, OTEL_SERVICE_NAME: name, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const log: LogLine[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => log.push(parsed(line)));
  }
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode }));
  return { child, log, ended };
}

/** Nothing of the caller's environment reaches the service. */
const defaults = {
  SERVER_HOST: '127.0.0.1',
  SERVER_PORT: '0',
  GRPC_PORT: '0',
  SHUTDOWN_DRAIN_MS: '0',
  OTEL_TRACES_EXPORTER: 'none',
};

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { msg: line };
  }
}
