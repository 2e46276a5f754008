import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endChild } from './end-child.ts';
import { eventually } from './eventually.ts';

const main = join(import.meta.dirname, '../../operator/src/log-collector/main.ts');

/** The log collector, as the process that it is in a cluster. It dies with the test, even when the test is killed. */
export class LogCollectorProcess implements AsyncDisposable {
  /** What it said so far. */
  output = '';
  readonly #child: ChildProcess;

  private constructor(env: Readonly<Record<string, string>>) {
    this.#child = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, main], {
      env: { PATH: process.env.PATH ?? '', LOG_COLLECTOR_HTTP_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  /** Starts a collector and waits until it knows the pods. */
  static async start(env: Readonly<Record<string, string>>): Promise<LogCollectorProcess> {
    const collector = new LogCollectorProcess(env);
    await eventually(
      async () => {
        const { status, text } = await collector.ask('/readyz');
        if (status !== 200) throw new Error(`the collector is not ready: ${text}${collector.output}`);
      },
      { withinMs: 30_000, everyMs: 50 },
    );
    return collector;
  }

  async ask(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const port = /"port":(\d+)/.exec(this.output)?.[1];
    if (port === undefined) throw new Error(`the collector did not start: ${this.output}`);
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5_000) });
    return { status: answer.status, text: await answer.text() };
  }

  /** A metric, summed over its labels, or the one with the labels that are named; 0 when there is none. */
  async metric(name: string): Promise<number> {
    const { text } = await this.ask('/metrics');
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Resident memory, in bytes. */
  rss(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** Ends it and gives the exit code; null when it was killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return await endChild(this.#child, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }
}
