// The tests from the quickest to the dearest, and at the end a list of what passed, what failed, and what could not run
// on this machine and why. `check` is the part that needs nothing but the packages of the lockfile.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { examine } from '../cluster/machine.ts';
import { faultsOf } from '../cluster/preflight.ts';

const root = join(import.meta.dirname, '..');
const e2eCluster = 'test';

interface Result {
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** The full titles of tests that were skipped: a title says why. */
  readonly notRun?: readonly string[];
  /** What failed, each with the first of what was said: what stands at the end is what a log shows first. */
  readonly faults?: readonly string[];
  /** Why it did not run. */
  readonly reason?: string;
}

/** Runs a program of the project in the foreground, and gives its exit code. */
function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`;
  const child = spawn(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env, PATH: path },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function timed(title: string, work: () => Promise<Omit<Result, 'title' | 'seconds'>>): Promise<Result> {
  console.log(`\n── ${title}`);
  const started = performance.now();
  const counts = await work();
  return { title, ...counts, seconds: Math.round((performance.now() - started) / 1000) };
}

/** A program that says by its exit code whether all is well. */
const program = (title: string, command: string, ...args: readonly string[]) =>
  timed(title, async () => {
    const ok = (await start(command, args)) === 0;
    return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
  });

/** What vitest writes down, as far as it is read here. */
interface Report {
  readonly numPassedTests?: number;
  readonly numFailedTests?: number;
  readonly numPendingTests?: number;
  readonly testResults?: readonly {
    readonly name: string;
    /** Of a file that could not be loaded. */
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** The tests that failed, and the files that could not be loaded, with the first 400 characters of what they said. */
function faultsIn({ testResults = [] }: Report): readonly string[] {
  return testResults.flatMap(({ name, message = '', assertionResults }) => {
    const of = (title: string, said: string) =>
      `${relative(root, name)} > ${title}: ${stripVTControlCharacters(said).slice(0, 400).replaceAll('\n', '\n             ')}`;
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const faults = failed.map(({ fullName, failureMessages = [] }) => of(fullName, failureMessages.join('\n')));
    return message === '' ? faults : [...faults, of('the file', message)];
  });
}

/** A project of vitest.config.ts. */
const tests = (project: string, env: NodeJS.ProcessEnv = {}, ...options: readonly string[]) =>
  timed(`tests: ${project}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'results-'));
    const file = join(folder, 'results.json');
    const args = ['run', '--config', 'test/vitest.config.ts', '--project', project, ...options];
    const code = await start(
      'vitest',
      [...args, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
      env,
    );
    const counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
    rmSync(folder, { recursive: true });
    const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, testResults = [] } = counts as Report;
    // A file that cannot be loaded, or an error outside a test, counts as one failure.
    return {
      passed: numPassedTests,
      failed: numFailedTests || (code === 0 ? 0 : 1),
      skipped: numPendingTests,
      faults: faultsIn(counts as Report),
      notRun: testResults
        .flatMap(({ assertionResults }) => assertionResults)
        .filter(({ status }) => status === 'skipped' || status === 'pending')
        .map(({ fullName }) => fullName),
    };
  });

const skip = (title: string, reason: string): Result => ({
  title,
  passed: 0,
  failed: 0,
  skipped: 0,
  seconds: 0,
  reason,
});

async function* check(): AsyncGenerator<Result> {
  yield await program('generated files are fresh', 'node', 'operator/generate.ts', '--check');
  yield await program('format and rules (biome)', 'biome', 'ci', '.');
  yield await program('promises and imports (oxlint)', 'oxlint', '--type-aware', '--deny-warnings');
  yield await program('types', 'tsc', '--noEmit');
  yield await tests('unit');
}

async function* all(): AsyncGenerator<Result> {
  yield* check();
  const reasons = faultsOf(await examine({ name: e2eCluster, runs: false })).map(({ text }) => text);
  if (reasons.length > 0) {
    for (const project of ['api', 'services', 'chart', 'e2e']) yield skip(`tests: ${project}`, reasons.join('; '));
    return;
  }
  const tools = await program('programs and packages that the tests start', 'node', 'cluster/main.ts', 'tools');
  yield tools;
  if (tools.failed > 0) return;
  // They wait for programs that they start more than they compute, so each core has a file.
  for (const project of ['api', 'services', 'chart']) yield await tests(project, {}, '--maxWorkers=100%');
  const up = await program('make up', 'node', 'cluster/main.ts', 'up', e2eCluster);
  yield up;
  if (up.failed === 0) yield await tests('e2e', { E2E_CLUSTER: e2eCluster }, '--no-file-parallelism');
  yield await program('make down', 'node', 'cluster/main.ts', 'down', e2eCluster);
}

/** Those of the tests that ask for nothing but a cluster, on one that is up. */
async function* e2e(): AsyncGenerator<Result> {
  yield await tests('e2e', { E2E_CLUSTER: process.argv[3] ?? 'default' }, '--no-file-parallelism');
}

const suites: Readonly<Record<string, () => AsyncGenerator<Result>>> = { check, all, e2e };
const suite = suites[process.argv[2] ?? ''];
if (suite === undefined) throw new Error(`use one of: ${Object.keys(suites).join(', ')}`);
const results: Result[] = [];
for await (const result of suite()) results.push(result);

console.log('');
for (const { title, passed, failed, skipped, seconds, reason, notRun = [], faults = [] } of results) {
  const outcome = reason !== undefined ? 'not run' : failed > 0 ? 'FAILED ' : 'passed ';
  const counts = reason ?? `${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`;
  console.log(`${outcome}  ${title.padEnd(46)} ${counts}`);
  for (const fault of faults) console.log(`           failed: ${fault}`);
  for (const test of notRun) console.log(`           not run: ${test}`);
}
const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
const failed = sum((result) => result.failed);
console.log(`\n${sum((result) => result.passed)} passed, ${failed} failed, ${sum((result) => result.skipped)} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
