import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../cluster/machine.ts';
import { repository } from '../../../cluster/paths.ts';
import { faultIds, faultsOf } from '../../../cluster/preflight.ts';

const good: Machine = {
  platform: 'linux',
  arch: 'x64',
  uid: 0,
  distributions: ['debian'],
  commands: new Set(['npm', 'go', 'apt-get']),
  go: { version: '1.27.0', fetchesNewer: false },
  missingFeatures: [],
  missingControllers: [],
  memoryMiB: 8192,
  disks: [{ folders: ['/root/.cache', '/var/lib'], freeGiB: 40, neededGiB: 20 }],
  loopback: true,
};

/** One machine for each fault, sound but for that. */
const bad: readonly (readonly [fault: string, machine: Partial<Machine>])[] = [
  ['not-linux', { platform: 'darwin' }],
  ['not-root', { uid: 1000 }],
  ['architecture', { arch: 's390x' }],
  ['not-debian', { distributions: ['fedora'] }],
  ['no-npm', { commands: new Set(['go', 'apt-get']) }],
  ['no-go', { commands: new Set(['npm', 'apt-get']) }],
  ['old-go', { go: { version: '1.19.8', fetchesNewer: true } }],
  ['kernel', { missingFeatures: ['overlay mounts'] }],
  ['cgroups', { missingControllers: ['cpuset'] }],
  ['memory', { memoryMiB: 4096 }],
  ['disk', { disks: [{ folders: ['/root/.cache'], freeGiB: 3, neededGiB: 20 }] }],
  ['loopback', { loopback: false }],
];

describe('the faults of a machine', () => {
  it('are none when it has what a cluster takes', () => {
    expect(faultsOf(good)).toEqual([]);
  });

  it.each(bad)('are named one by one, in one line with a remedy: %s', (fault, machine) => {
    const faults = faultsOf({ ...good, ...machine });
    expect(faults).toEqual([{ id: fault, text: expect.stringMatching(/^[^\n]+: [^\n]+$/) }]);
  });

  it('are all named at once, and every one that there is has a case here', () => {
    expect(bad.map(([fault]) => fault).sort()).toEqual([...faultIds].sort());
    const worst = Object.assign({}, good, ...bad.map(([, machine]) => machine), { commands: new Set() });
    expect(faultsOf(worst)).toHaveLength(bad.length);
  });

  it('do not hold a Go that is old but fetches a newer one by itself, and memory while the cluster runs', () => {
    const { memoryMiB: _, ...running } = good;
    expect(faultsOf({ ...running, go: { version: '1.24.1', fetchesNewer: true } })).toEqual([]);
    expect(faultsOf({ ...good, go: { version: '1.24.1', fetchesNewer: false } })).toHaveLength(1);
  });

  it.each(bad)('are explained in docs/troubleshooting.md by the words that are seen: %s', (_fault, machine) => {
    const page = readFileSync(join(repository, 'docs/troubleshooting.md'), 'utf8');
    const words = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, said = '']) => said);
    const [fault] = faultsOf({ ...good, ...machine });
    expect(words.filter((said) => fault?.text.includes(said))).toHaveLength(1);
  });
});
