import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../cluster/paths.ts';

/** Never started: each of these ends before anything is changed. */
const name = 'faulty';
const up = [process.execPath, join(repository, 'cluster/main.ts'), 'up', name];
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'preflight-'));
  chmodSync(folder, 0o755);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of programs: those of the machine that are named, and scripts. */
function path(of: string, programs: readonly string[], scripts: Readonly<Record<string, string>> = {}): string {
  const bin = join(folder, of);
  mkdirSync(bin);
  for (const program of programs)
    symlinkSync(spawnSync('which', [program]).stdout.toString().trim(), join(bin, program));
  for (const [script, text] of Object.entries(scripts))
    writeFileSync(join(bin, script), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return bin;
}

function said(command: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = repository) {
  const [program = '', ...args] = command;
  const { status, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(existsSync(`/var/lib/microservice-platform/${name}`)).toBe(false);
  return { status, faults: stderr.split('\n').filter((line) => line.startsWith('- ')), stderr };
}

/** In mounts of its own that end with it. */
const mounted = (script: string, command = up) => [
  ...['unshare', '--mount', 'sh', '-c', `${script} && exec "$@"`, 'sh'],
  ...command,
];

describe('make up, before it changes anything, says', () => {
  it('that it is not root', () => {
    const { status, faults } = said(['setpriv', '--reuid=65534', '--clear-groups', ...up], { HOME: folder });
    expect({ status, faults }).toEqual({ status: 1, faults: ['- not root: run it as root, for example with sudo'] });
  });

  it('that Go is missing, and npm too, both at once', () => {
    const { status, faults } = said(up, { PATH: path('neither', ['sh', 'unshare', 'mount', 'mkdir', 'apt-get']) });
    expect({ status, faults }).toEqual({
      status: 1,
      faults: [
        expect.stringMatching(/^- npm is not on the path: install/),
        expect.stringMatching(/^- go is not on the path: install Go 1\./),
      ],
    });
  });

  it('that Go is too old to fetch a newer one', () => {
    const bin = path('old', [], { go: 'printf "go1.19.8\\n\\n"' });
    const { status, faults } = said(up, { PATH: `${bin}:${process.env.PATH}` });
    expect({ status, faults }).toEqual({
      status: 1,
      faults: [expect.stringMatching(/^- go is 1\.19\.8: install Go 1\./)],
    });
  });

  it('which disk is too small, how much is free and how much is needed', () => {
    const cache = join(folder, 'small');
    mkdirSync(cache);
    const { status, faults } = said(mounted(`mount -t tmpfs -o size=64m tmpfs ${cache}`), { XDG_CACHE_HOME: cache });
    expect(status).toBe(1);
    expect(faults).toEqual([
      expect.stringMatching(new RegExp(`^- 0\\.1 GiB are free for ${cache}.*: make room for \\d+ GiB`)),
    ]);
  });

  it('that the distribution is another one', () => {
    const file = join(folder, 'os-release');
    writeFileSync(file, 'ID=fedora\n');
    const { status, faults } = said(mounted(`mount --bind ${file} /etc/os-release`));
    expect({ status, faults }).toEqual({
      status: 1,
      faults: [expect.stringMatching(/^- this is fedora: .* use Debian/)],
    });
  });

  it('that namespaces are refused', () => {
    const few = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', ...up];
    const { status, faults } = said(few);
    expect({ status, faults }).toEqual({
      status: 1,
      faults: [expect.stringMatching(/^- the kernel, .*refuses .*namespaces: use/)],
    });
  });
});

describe('a disk that fills up in the middle of the work', () => {
  it('is told of before anything else, with the place, and what to do', () => {
    const cache = join(folder, 'filling');
    mkdirSync(cache);
    const tools = [process.execPath, join(repository, 'cluster/main.ts'), 'tools'];
    const { status, stderr } = said(mounted(`mount -t tmpfs -o size=16m tmpfs ${cache}`, tools), {
      XDG_CACHE_HOME: cache,
    });
    expect(status).toBe(1);
    const [first, ...details] = stderr.slice(stderr.indexOf('make tools: ')).split('\n');
    expect(first).toMatch(
      new RegExp(`the disk is full .*\\b\\d+ MiB free for ${cache}.*make room, and run the same command again$`),
    );
    expect(details.join('\n')).toContain('no space left on device');
  });
});

describe('make, in a clone whose packages are not installed, says', () => {
  const line = 'make: Node 20 or newer with npm is not on the path: install it, or put it on the path of root';
  let clone = '';

  beforeAll(() => {
    clone = join(folder, 'clone');
    for (const file of ['Makefile', 'package.json', 'package-lock.json'])
      cpSync(join(repository, file), join(clone, file));
  });

  it.each([
    ['that npm is missing', () => path('bare', ['sh', 'make', 'node'])],
    ['that Node is too old', () => path('ancient', ['sh', 'make', 'npm'], { node: 'echo 18' })],
  ])('%s', (_title, bin) => {
    const { status, stderr } = said(['make', 'up'], { PATH: bin() }, clone);
    expect({ status, first: stderr.split('\n')[0] }).toEqual({ status: 2, first: line });
  });

  it('within half a minute that the registry of the packages cannot be reached', () => {
    const home = join(folder, 'home');
    mkdirSync(home);
    const started = performance.now();
    const { status, stderr } = said(['unshare', '--net', 'make', 'up'], { HOME: home }, clone);
    expect({ status, first: stderr.split('\n')[0] }).toEqual({
      status: 2,
      first: expect.stringMatching(/^make: the npm registry cannot be reached: look at network, DNS and proxy/),
    });
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
