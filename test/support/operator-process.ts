import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endChild } from './end-child.ts';
import { eventually } from './eventually.ts';

const main = join(import.meta.dirname, '../../operator/src/main.ts');

/** The operator, as the process that it is in a cluster. It dies with the test, even when the test is killed. */
export class OperatorProcess implements AsyncDisposable {
  /** Its log so far, one parsed line each. */
  readonly log: Readonly<Record<string, unknown>>[] = [];
  readonly #child: ChildProcess;
  #errors = '';

  private constructor(kubeconfig: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, main], {
      env: { PATH: process.env.PATH ?? '', KUBECONFIG: kubeconfig, OPERATOR_HTTP_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.log.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
  }

  /** Starts an operator and waits until it says that it is ready. */
  static async start(kubeconfig: string, env: Readonly<Record<string, string>> = {}): Promise<OperatorProcess> {
    const operator = OperatorProcess.launch(kubeconfig, env);
    await operator.ready();
    return operator;
  }

  /** Starts an operator without waiting for anything. */
  static launch(kubeconfig: string, env: Readonly<Record<string, string>> = {}): OperatorProcess {
    return new OperatorProcess(kubeconfig, env);
  }

  /** Waits until /readyz says so. */
  async ready(withinMs = 20_000): Promise<void> {
    await eventually(
      async () => {
        if (this.#child.exitCode !== null) throw new Error(`the operator ended: ${this.#errors}`);
        const { status, text } = await this.ask('/readyz');
        if (status !== 200) throw new Error(`the operator is not ready: ${text}`);
      },
      { withinMs },
    );
  }

  /** GET on its own HTTP server. */
  async ask(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const port = this.log.find(({ msg }) => msg === 'operator started')?.port;
    if (port === undefined) throw new Error(`the operator did not start: ${this.#errors}`);
    const answer = await fetch(`http://127.0.0.1:${Number(port)}${path}`, {
      signal: AbortSignal.timeout(5_000),
    });
    return { status: answer.status, text: await answer.text() };
  }

  /** Resident memory, in bytes. */
  rss(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** Open files, sockets and pipes. */
  descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** Sends it a signal, and waits for nothing. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it and gives the exit code; null when it had to be killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return await endChild(this.#child, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }
}
