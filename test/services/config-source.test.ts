import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { configEnvironment } from '../../services/common/src/config/config-environment.ts';
import { configEtcd } from '../../services/common/src/config/config-etcd.ts';
import { configFiles } from '../../services/common/src/config/config-files.ts';
import type { ConfigSource } from '../../services/common/src/config/config-source.ts';
import { type Etcd, etcd } from '../../services/common/src/etcd/etcd.ts';
import { freePort } from '../support/daemon.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let server: EtcdServer;
let client: Etcd;
let folder = '';

beforeAll(async () => {
  server = await startEtcd();
  client = etcd({ endpoints: [server.url] });
});
afterAll(async () => {
  await client?.close();
  await server?.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A place that settings can be written to from outside, and how it fails. */
interface Place {
  readonly name: string;
  readonly open: () => Promise<ConfigSource>;
  /** What is in it from now on. */
  readonly hold: (values: Readonly<Record<string, string>>) => Promise<void>;
  readonly outages: Readonly<Record<string, { begin: () => unknown; end: () => unknown }>>;
}

const inFolder = () => join(folder, 'etc');
const moved = { begin: () => rename(inFolder(), `${folder}/away`), end: () => rename(`${folder}/away`, inFolder()) };

/** One file after the other, as somebody with an editor would. */
const plainFolder: Place = {
  name: 'files in a folder',
  open: () => configFiles(inFolder()),
  hold: async (values) => {
    await mkdir(join(inFolder(), 'not-a-file'), { recursive: true });
    for (const [key, value] of Object.entries(values)) {
      await writeFile(join(inFolder(), '.hidden'), `${value}\n`);
      await rename(join(inFolder(), '.hidden'), join(inFolder(), key));
    }
    await writeFile(join(inFolder(), '.hidden'), 'not a setting');
    const gone = (await readdir(inFolder(), { withFileTypes: true })).filter(
      (it) => it.isFile() && it.name !== '.hidden' && !(it.name in values),
    );
    for (const { name } of gone) await rm(join(inFolder(), name));
  },
  outages: {
    'the folder is away': moved,
    'a file is in its place': {
      begin: async () => {
        await moved.begin();
        await writeFile(inFolder(), '');
      },
      end: async () => {
        await rm(inFolder());
        await moved.end();
      },
    },
  },
};

/** As the kubelet does it: a new folder beside the old one, and one atomic change of the link that leads to it. */
const configMapVolume: Place = {
  name: 'files in the volume of a ConfigMap',
  open: () => configFiles(inFolder()),
  hold: async (values) => {
    await mkdir(inFolder(), { recursive: true });
    const version = await mkdtemp(join(inFolder(), '..version-'));
    await writeAll(version, values);
    await symlink(version, join(inFolder(), '..data_tmp'));
    await rename(join(inFolder(), '..data_tmp'), join(inFolder(), '..data'));
    for (const key of Object.keys(values)) {
      await symlink(`..data/${key}`, join(inFolder(), key)).catch(() => undefined);
    }
  },
  outages: { 'the volume is away': moved },
};

const inEtcd: Place = {
  name: 'etcd',
  open: () => configEtcd({ endpoints: [server.url], prefix: '/config/', timeoutMs: 500, idleMs: 1_000 }),
  hold: async (values) => {
    const { entries } = await client.list('/config/');
    const gone = entries.filter(({ key }) => !(key.slice('/config/'.length) in values));
    for (const { key } of gone) await client.delete(key);
    for (const [key, value] of Object.entries(values)) await client.put(`/config/${key}`, value);
    await client.put('/configuration', 'of somebody else');
  },
  outages: {
    'etcd is killed': { begin: () => server.kill(), end: () => server.start() },
    'etcd is frozen': { begin: () => server.freeze(), end: () => server.thaw() },
  },
};

async function writeAll(into: string, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, value] of Object.entries(values)) await writeFile(join(into, key), `${value}\n`);
}

const places = [plainFolder, configMapVolume, inEtcd];

/** Opens the source of a place for one test. */
async function withSource(open: Place['open'], work: (source: ConfigSource) => Promise<void>): Promise<void> {
  const source = await open();
  try {
    await work(source);
  } finally {
    await source.close();
  }
}

/** Everything that a watcher hears. */
function listening(source: ConfigSource) {
  const keys: string[] = [];
  const troubles: (string | undefined)[] = [];
  const end = source.watch(
    (changed) => keys.push(...changed),
    (reason) => troubles.push(reason),
  );
  return { keys, troubles, end };
}

const environment = {
  name: 'the environment',
  open: async () => configEnvironment({ LOG_LEVEL: 'info', EMPTY: '' }),
  hold: async () => undefined,
};

describe.each([environment, ...places])('a source of settings: $name', ({ open, hold }) => {
  it('gives the value of a key, and says which key it does not have', async () => {
    await hold({ LOG_LEVEL: 'info', EMPTY: '' });
    await withSource(open, async (source) => {
      expect([source.get('LOG_LEVEL'), source.get('EMPTY')]).toEqual(['info', '']);
      expect([source.has('LOG_LEVEL'), source.has('EMPTY'), source.has('NO_SUCH')]).toEqual([true, true, false]);
      expect(() => source.get('NO_SUCH')).toThrow(/^key not found: NO_SUCH$/);
      for (const key of ['.hidden', 'not-a-file', '..data', 'uration', 'toString']) expect(source.has(key)).toBe(false);
    });
  });
});

describe.each(places)('a source of settings that changes: $name', ({ open, hold }) => {
  it('tells every watcher what was added, changed and taken away, and nothing of what stayed', async () => {
    await hold({ STAYS: 'a', GOES: 'b', CHANGES: 'c' });
    await withSource(open, async (source) => {
      const [one, other] = [listening(source), listening(source)];
      await hold({ STAYS: 'a', CHANGES: 'd', COMES: 'e' });
      await eventually(() => {
        for (const { keys } of [one, other]) expect(keys.toSorted()).toEqual(['CHANGES', 'COMES', 'GOES']);
      });
      expect([source.get('CHANGES'), source.get('COMES'), source.has('GOES')]).toEqual(['d', 'e', false]);
    });
  });

  it('tells a watcher that has ended nothing more, and the others still', async () => {
    await hold({ A: '1' });
    await withSource(open, async (source) => {
      const [one, other] = [listening(source), listening(source)];
      one.end();
      await hold({ A: '2' });
      await eventually(() => expect(other.keys).toEqual(['A']));
      expect(one.keys).toEqual([]);
    });
  });

  it('says nothing when a key is given the value that it has', async () => {
    await hold({ SAME: 'a', OTHER: '1' });
    await withSource(open, async (source) => {
      const { keys, troubles } = listening(source);
      await hold({ SAME: 'a', OTHER: '1' });
      await hold({ SAME: 'a', OTHER: '2' });
      await eventually(() => expect(keys).toContain('OTHER'));
      await hold({ SAME: 'a', OTHER: '3' });
      await eventually(() => expect(source.get('OTHER')).toBe('3'));
      expect([keys, troubles]).toEqual([['OTHER', 'OTHER'], []]);
    });
  });

  it('tells nothing more when it is closed', async () => {
    await hold({ A: '1' });
    const [closed, open_] = [await open(), await open()];
    const heard = [listening(closed), listening(open_)];
    await closed.close();
    await hold({ A: '2' });
    await eventually(() => expect(heard[1]?.keys).toEqual(['A']));
    expect([heard[0]?.keys, heard[0]?.troubles]).toEqual([[], []]);
    await open_.close();
  });
});

const outages = places.flatMap(({ outages, ...place }) =>
  Object.entries(outages).map(([outage, turn]) => ({ ...place, outage, turn })),
);

describe.each(outages)('a source of settings that fails: $name, $outage', ({ open, hold, turn }) => {
  it('keeps what it knew, says once why and once that it is back, and tells what changed', async () => {
    await hold({ A: '1', B: 'stays' });
    await withSource(open, async (source) => {
      const { keys, troubles } = listening(source);
      await turn.begin();
      await eventually(() => expect(troubles).toHaveLength(1));
      expect(troubles[0]).toMatch(/ENOENT|ENOTDIR|etcd/);
      expect([source.get('A'), source.get('B')]).toEqual(['1', 'stays']);
      await turn.end();
      await hold({ A: '2', B: 'stays' });
      await eventually(() => expect(keys).toEqual(['A']), { withinMs: 20_000 });
      expect([source.get('A'), troubles.slice(1)]).toEqual(['2', [undefined]]);
    });
  });
});

describe('a source of settings that is not there at start', () => {
  it('is waited for for some time: a folder that cannot be read, named in the message', async () => {
    await expect(configFiles(join(folder, 'missing'))).rejects.toThrow(
      `the configuration could not be read from files within 2000 ms: the configuration in ${folder}/missing cannot be read: ENOENT`,
    );
  });

  it('is waited for for some time: an etcd that does not answer, named in the message', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    await expect(configEtcd({ endpoints: [endpoint], prefix: '/config/', startMs: 600 })).rejects.toThrow(
      `the configuration could not be read from etcd within 600 ms: etcd does not answer (/v3/kv/range): ${endpoint}: `,
    );
  });

  it('is used as soon as it comes: etcd that starts after the service', async () => {
    await inEtcd.hold({ LATE: 'here' });
    await server.kill();
    const opened = inEtcd.open();
    await server.start();
    await withSource(
      () => opened,
      async (source) => expect(source.get('LATE')).toBe('here'),
    );
  });
});

describe('a source of settings in etcd', () => {
  it('is closed at once although etcd does not answer', async () => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
    const endpoints = [`http://127.0.0.1:${proxy.port}`];
    const source = await configEtcd({ endpoints, prefix: '/config/', timeoutMs: 10_000 });
    await client.put('/config/WATCHED', 'now');
    await eventually(() => expect(source.has('WATCHED')).toBe(true));
    const connections = proxy.accepted;
    proxy.cut();
    proxy.swallowAnswers();
    await eventually(() => expect(proxy.accepted).toBeGreaterThan(connections)); // it lists, in vain
    const start = performance.now();
    await source.close();
    expect(performance.now() - start).toBeLessThan(500);
    await proxy.stop();
  });
});

/** Another process, so that it interrupts a reader anywhere. */
const everNewVersions = `
  version=0
  while :; do
    version=$((version + 1)); new=..new-$version
    mkdir $new; for key in $(seq 40); do echo $version > $new/KEY_$key; done
    ln -s $new ..tmp; mv -T ..tmp ..data; rm -rf ..new-$((version - 3))
  done`;

describe('the volume of a ConfigMap', () => {
  it('shows no half of a change to whoever reads meanwhile', async () => {
    const keys = Array.from({ length: 40 }, (_, at) => `KEY_${at + 1}`);
    await configMapVolume.hold(Object.fromEntries(keys.map((key) => [key, '0'])));
    const kubelet = spawn('setpriv', ['--pdeathsig=KILL', '--', 'sh', '-c', everNewVersions], { cwd: inFolder() });
    const seen = new Set<string>();
    while (seen.size < 30) {
      await withSource(configMapVolume.open, async (source) => {
        const [value = '', ...others] = new Set(keys.map((key) => source.get(key)));
        expect(others).toEqual([]);
        seen.add(value);
      });
    }
    kubelet.kill('SIGKILL');
    await once(kubelet, 'close');
  });

  it('is refused when it holds more than a ConfigMap can', async () => {
    await configMapVolume.hold({ LARGE: 'x'.repeat(1024 * 1024) });
    await expect(configMapVolume.open()).rejects.toThrow('its files have 1048577 bytes, more than 1048576');
  });
});
