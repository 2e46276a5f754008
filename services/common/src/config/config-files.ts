import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MirrorSource } from '../etcd/mirror.ts';
import { configMirror } from './config-mirror.ts';
import type { ConfigSource } from './config-source.ts';

/** Short beside the minute that Kubernetes takes to bring a change into a pod. */
const everyMs = 1_000;
/** Time for another try when the first met a change. */
const startMs = 2_000;
/** What a ConfigMap can hold. */
const maxBytes = 1024 * 1024;

/**
 * A folder with a file for each setting, named like its variable: a volume of a ConfigMap or Secret, or any other. One
 * newline at the end of a file does not belong to the value. Hidden files and folders are none.
 *
 * The folder is read every second: notifications do not pass through all file systems, and would say less.
 *
 * @throws Error naming the folder when it cannot be read at start
 */
export function configFiles(folder: string): Promise<ConfigSource> {
  return configMirror('files', filesIn(folder), startMs);
}

function filesIn(folder: string): MirrorSource<string, undefined> {
  return {
    list: async () => ({ entries: await valuesIn(folder), position: undefined }),
    watch: async (_position, _onChange, signal) => {
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    },
  };
}

async function valuesIn(folder: string): Promise<ReadonlyMap<string, string>> {
  try {
    return await read(await versionOf(folder));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the configuration in ${folder} cannot be read: ${reason}`, { cause: error });
  }
}

/**
 * A volume of a ConfigMap has its files in a folder for each version, and `..data` leads to the current one: whoever
 * reads there sees no half of a change.
 */
async function versionOf(folder: string): Promise<string> {
  try {
    return await realpath(join(folder, '..data'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return folder;
    throw error;
  }
}

async function read(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  const found = await Promise.all(names.map(async (name) => ({ name, stats: await stat(join(folder, name)) })));
  const files = found.filter(({ stats }) => stats.isFile());
  const bytes = files.reduce((sum, { stats }) => sum + stats.size, 0);
  if (bytes > maxBytes) throw new Error(`its files have ${bytes} bytes, more than ${maxBytes}`);
  const texts = files.map(async ({ name }) => [name, await readFile(join(folder, name), 'utf8')] as const);
  return new Map((await Promise.all(texts)).map(([name, text]) => [name, text.replace(/\r?\n$/, '')]));
}
