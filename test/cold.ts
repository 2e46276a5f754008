// `make cold`: a newcomer's first hour under rough hands. In a fresh clone with an empty home, `make up` is killed at ten
// moments, each time started again, and must end well; `make down` must leave nothing. Half an hour and more.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { repository } from '../cluster/paths.ts';
import { run } from '../cluster/run.ts';
import { traces } from './support/traces.ts';

const name = 'cold';

/** Some seconds after a line with these words, which a step prints when it takes more than a moment. */
const moments: readonly { readonly words: string; readonly afterS: number }[] = [
  { words: '', afterS: 8 },
  { words: 'added ', afterS: 5 },
  { words: 'compile kubernetes', afterS: 20 },
  { words: 'make the Debian base', afterS: 25 },
  { words: 'compile etcd', afterS: 15 },
  { words: 'compile containerd', afterS: 30 },
  { words: 'compile jaeger', afterS: 90 },
  { words: 'build the image', afterS: 15 },
  { words: 'start Kubernetes', afterS: 2 },
  { words: 'bring the images', afterS: 4 },
];

/** Without these `make up` has something to install. Others of its packages are part of every Debian. */
const removable = ['buildah', 'conntrack', 'containernetworking-plugins', 'debootstrap', 'nftables', 'runc', 'tini'];

/** Where packages come from is the user's to say, also with an empty home. */
const settings = ['.npmrc', '.gitconfig', '.config/go', '.config/pip', '.netrc'];

interface Run {
  readonly seconds: number;
  /** Undefined when it was killed. */
  readonly code?: number | null;
  readonly lines: readonly string[];
}

/** `make up`, killed with everything that it runs at a moment that may never come. */
async function makeUp(clone: string, env: NodeJS.ProcessEnv, moment?: (typeof moments)[number]): Promise<Run> {
  const started = performance.now();
  const child = spawn('make', ['up', `NAME=${name}`], {
    cwd: clone,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let killed = false;
  let timer: NodeJS.Timeout | undefined;
  const kill = () => {
    killed = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const watch = (text: string) => {
    lines.push(...text.split('\n').filter((line) => line.trim() !== ''));
    process.stdout.write(text);
    if (moment && text.includes(moment.words)) timer ??= setTimeout(kill, moment.afterS * 1000);
  };
  if (moment?.words === '') timer = setTimeout(kill, moment.afterS * 1000);
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', watch);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  return { seconds: (performance.now() - started) / 1000, lines, ...(killed ? {} : { code }) };
}

const apt = (command: 'install' | 'purge') =>
  run('apt-get', [command, '--yes', '--quiet', '--no-install-recommends', ...removable], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: 300_000,
  });

const home = process.env.COLD_HOME ?? mkdtempSync(join(tmpdir(), 'cold-home-'));
for (const file of settings) {
  if (existsSync(join(homedir(), file))) cpSync(join(homedir(), file), join(home, file), { recursive: true });
}
const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, '.cache') };
for (const key of ['GOCACHE', 'GOMODCACHE', 'GOPATH', 'npm_config_cache', 'MAKEFLAGS', 'MAKELEVEL']) delete env[key];
const clone = mkdtempSync(join(tmpdir(), 'cold-clone-'));
await run('git', ['clone', '--quiet', repository, clone]);
// With the packages, which leave folders in /etc that `make down` does not take along.
await apt('install');
const before = await traces(name);
if (process.env.PURGE === '1') await apt('purge');

const table: string[] = [];
const row = (title: string, { seconds, code, lines }: Run) => {
  const end = code === undefined ? `killed at: ${lines.at(-1)?.trim() ?? 'nothing said yet'}` : `exit code ${code}`;
  table.push(`${title.padEnd(24)} ${seconds.toFixed(0).padStart(6)} s  ${end}`);
};
for (const moment of moments) row(moment.words || 'npm ci', await makeUp(clone, env, moment));
const last = await makeUp(clone, env);
row('to its end', last);
const proven = last.code === 0 && last.lines.some((line) => line.includes('was answered 201'));

await run('make', ['down', `NAME=${name}`], { cwd: clone, env, timeoutMs: 120_000 });
const after = await traces(name);
const clean = isDeepStrictEqual(after, before);
if (process.env.COLD_HOME === undefined) {
  // Go makes its modules unwritable, which only root may ignore.
  rmSync(home, { recursive: true, force: true });
}
rmSync(clone, { recursive: true, force: true });
console.log(
  ['', ...table, '', proven ? 'The last one ended with the proof.' : 'THE LAST ONE DID NOT END WELL.'].join('\n'),
);
console.log(
  clean ? 'make down left nothing.' : `MAKE DOWN LEFT SOMETHING:\n${JSON.stringify({ before, after }, null, 1)}`,
);
process.exitCode = proven && clean ? 0 : 1;
