import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { descendantsOf, signal } from './processes.ts';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input. */
  readonly input?: string;
  /** Milliseconds after which the command is ended. */
  readonly timeoutMs?: number;
  /** Both output streams are appended to this file as well. */
  readonly logFile?: string;
  /** Called with each line that the command prints. */
  readonly onLine?: (line: string) => void;
}

/** A command that could not be started, failed, or took too long. The message has its last lines. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const lastLines = 15;

/**
 * Runs a command to its end and gives its standard output.
 * @throws CommandError when it exits with anything but 0 or does not end in time (default: 2 minutes)
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { cwd, env, input, timeoutMs = 120_000, logFile, onLine } = options;
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
  const stdout: string[] = [];
  const tail: string[] = [];
  const listen = (stream: NodeJS.ReadableStream | null, keep?: string[]) => {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      keep?.push(text);
      log?.write(text);
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      for (const line of lines) onLine?.(line);
      tail.push(...lines);
      tail.splice(0, tail.length - lastLines);
    });
  };
  listen(child.stdout, stdout);
  listen(child.stderr);
  child.stdin?.on('error', () => {}).end(input);

  let late = false;
  const timer = setTimeout(() => {
    late = true;
    // What it started goes with it.
    if (child.pid !== undefined) signal([...descendantsOf(child.pid), child.pid], 'SIGKILL');
  }, timeoutMs);
  const shown = `${command} ${args.join(' ')}`.slice(0, 200);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(new CommandError(`${shown}: ${error.message}`)));
      child.once('close', resolve);
    });
    if (late) throw new CommandError(`${shown}: no end after ${timeoutMs / 1000} s\n${tail.join('\n')}`);
    if (code !== 0) throw new CommandError(`${shown}: exit code ${code}\n${tail.join('\n')}`);
    return stdout.join('');
  } finally {
    clearTimeout(timer);
    log?.end();
  }
}
