import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackages } from '../../cluster/packages.ts';
import { repository } from '../../cluster/paths.ts';
import { run } from '../../cluster/run.ts';
import { waitFor } from '../../cluster/wait-for.ts';

const name = 'interrupted';
/** Every process that is started below has it in its environment. */
let mark = '';

beforeAll(() => {
  mark = mkdtempSync(join(tmpdir(), 'interrupt-'));
});

afterAll(async () => {
  await run('make', ['down', `NAME=${name}`], { cwd: repository });
  rmSync(mark, { recursive: true, force: true });
});

/** Types `make up` at a terminal of its own, and ctrl-C some time after it has said these words. */
async function typed(words: string, afterMs: number, env: NodeJS.ProcessEnv, times = 1) {
  const child = spawn('script', ['--quiet', '--return', '--command', `make up NAME=${name}`, '/dev/null'], {
    cwd: repository,
    env: { ...process.env, TMPDIR: mark, ...env },
  });
  let shown = '';
  const seen = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (shown.includes(words)) resolve();
    });
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await Promise.race([seen, ended]);
  await sleep(afterMs);
  const started = performance.now();
  for (let time = 0; time < times; time++) child.stdin.write('\x03');
  const code = await ended;
  return { code, shown, tookMs: performance.now() - started };
}

function alive(): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && contentOf(pid, 'environ').includes(mark))
    .map((pid) => contentOf(pid, 'cmdline').replaceAll('\0', ' '));
}

function contentOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

const mounts = () => readFileSync('/proc/mounts', 'utf8');

describe('ctrl-C at a terminal', () => {
  it.each([1, 2])(
    'ends compiling and the making of images within 2 s, says how to go on, and leaves no process and no mount (%i times)',
    async (times) => {
      const before = mounts();
      const { code, shown, tookMs } = await typed('make the Debian base', 3000, { XDG_CACHE_HOME: mark }, times);
      expect(shown).toContain('compile kubernetes');
      expect(shown).toMatch(/interrupted: make up.* goes on where it stopped, make down.* removes/);
      expect(shown).not.toMatch(/^\s+at .*:\d+:\d+/m);
      expect(code).toBe(130);
      expect(tookMs).toBeLessThan(2000);
      expect(alive()).toEqual([]);
      expect(mounts()).toBe(before);
    },
  );

  it('ends the start of a cluster within 2 s, and the next make up goes on', async () => {
    const { code, shown, tookMs } = await typed('bring the images', 1500, {});
    expect(shown).toMatch(/interrupted: make up.* goes on/);
    expect(code).toBe(130);
    expect(tookMs).toBeLessThan(2000);
    expect(alive().filter((line) => /main\.ts|ctr .*import/.test(line))).toEqual([]);

    const again = await typed('install DNS', 500, {});
    expect(again.shown).toContain('✓ bring the images into the cluster');
    expect(again.shown).not.toContain('remove what an earlier cluster left');
    await run('make', ['down', `NAME=${name}`], { cwd: repository });
  });
});

describe('an installation of packages that was killed', () => {
  // What is left of it: a dpkg that still works for some seconds, and its journal.
  const journal = '/var/lib/dpkg/updates/0000';
  const holdLock = `use Fcntl ':DEFAULT', ':seek'; open(my $lock, '>', '/var/lib/dpkg/lock') or die;
    my $whole = pack('s s x![q] q q i', F_WRLCK, SEEK_SET, 0, 0, 0);
    fcntl($lock, F_SETLK, $whole) or die; $| = 1; print 'held'; sleep 4;`;

  afterAll(() => run('dpkg', ['--configure', '-a']));

  it('is waited for, brought to its end, and followed by what is missing', async () => {
    await run('apt-get', ['purge', '--yes', '--quiet', 'debootstrap']);
    writeFileSync(journal, '');
    const dpkg = spawn('perl', ['-e', holdLock], { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([once(dpkg.stdout, 'data'), once(dpkg, 'exit')]);
    expect(dpkg.exitCode).toBe(null);
    const notes: string[] = [];
    await installPackages((_title, work) => work((note) => notes.push(note)), { tests: false });
    expect(notes.join('\n')).toMatch(/Waiting for cache lock.*\/var\/lib\/dpkg\/lock/);
    expect(existsSync('/usr/sbin/debootstrap')).toBe(true);
    expect(existsSync(journal)).toBe(false);
  });
});

describe('make up that is asked to end, as nobody but itself hears', () => {
  it('ends what it runs within 2 s', async () => {
    const child = spawn(process.execPath, ['cluster/main.ts', 'up', name], {
      cwd: repository,
      env: { ...process.env, TMPDIR: mark, XDG_CACHE_HOME: join(mark, 'alone') },
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const compiles = async () => alive().some((line) => line.includes('go build'));
    await waitFor('compiling', compiles, { timeoutMs: 30_000 });
    const started = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(alive()).toEqual([]);
  });
});
