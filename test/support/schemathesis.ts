import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../cluster/paths.ts';

/** The versions, each with its hashes: schemathesis and what it needs. */
const lock = join(import.meta.dirname, '../schemathesis.txt');
const settings = join(import.meta.dirname, '../schemathesis.toml');
const installMs = 240_000;

const run = promisify(execFile);

/** Where schemathesis is; installed once for each lock file, into an environment of Python's own below the cache. */
export async function installedSchemathesis(): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder(process.env), `schemathesis-${digest}`);
  const whole = join(folder, 'whole'); // written last: an installation that was cut off is made anew
  if (!existsSync(whole)) {
    rmSync(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder], { timeout: installMs });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '-r', lock];
    await run(join(folder, 'bin/python'), pip, { timeout: installMs });
    writeFileSync(whole, '');
  }
  return join(folder, 'bin/schemathesis');
}

export interface Fuzzed {
  /** Nothing was found. */
  readonly clean: boolean;
  /** What was done and found, with requests that show it. */
  readonly report: string;
}

/**
 * Sends requests to a service that its own contract, at `/openapi.yaml`, describes or forbids, and compares the answers
 * with it. The same seed begins with the same requests; how many follow is a matter of time.
 */
export async function fuzz(
  schemathesis: string,
  url: string,
  { seconds, seed }: { readonly seconds: number; readonly seed: number },
): Promise<Fuzzed> {
  const folder = mkdtempSync(join(tmpdir(), 'schemathesis-')); // it leaves files where it runs
  const budget = ['--max-time', String(seconds), '--seed', String(seed), '--request-timeout', '15'];
  const place = [`${url}/openapi.yaml`, '--url', url, '--generation-database', 'none', ...budget];
  try {
    const { stdout } = await run(schemathesis, ['--no-color', '--config-file', settings, 'run', ...place], {
      cwd: folder,
      timeout: (seconds + 60) * 1000,
      maxBuffer: 16 * 1024 * 1024,
    });
    return { clean: true, report: stdout };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    return { clean: false, report: `${String(error)}\n${stdout}\n${stderr}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
