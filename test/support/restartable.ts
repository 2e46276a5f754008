import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.ts';

/** A server that can be frozen, killed and started again, and that dies with the test. */
export interface Restartable {
  readonly start: () => Promise<void>;
  readonly kill: () => Promise<void>;
  /** It keeps its connections and answers nothing. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

const startMs = 20_000;

/** `answers` throws until the server can be asked. */
export function restartable(command: string, args: readonly string[], answers: () => Promise<void>): Restartable {
  let child: ChildProcess | undefined;
  return {
    start: async () => {
      child = spawn('setpriv', ['--pdeathsig=KILL', '--', command, ...args], { stdio: 'ignore' });
      await eventually(answers, { withinMs: startMs, everyMs: 50 });
    },
    kill: async () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  };
}
