import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** What programs of others say, and what it means for somebody who only typed `make up`. */
const meanings: readonly (readonly [said: RegExp, means: (folders: readonly string[]) => string])[] = [
  [
    /no space left on device|ENOSPC|disk quota exceeded/i,
    (folders) =>
      `the disk is full (${folders.map((folder) => `${freeMiB(folder)} MiB free for ${folder}`).join(', ')}): make room, and run the same command again`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN|Temporary failure (in name resolution|resolving)|Could not resolve|network is unreachable|no such host|dial tcp.*(refused|timeout|lookup)|Failed getting release file|Couldn't download/i,
    () =>
      'a source of packages cannot be reached: look at the network, the DNS and the proxy settings of this machine, and run the same command again',
  ],
];

/** The message of an error, and above it, where it is known, what it means and what to do. */
export function explained(error: unknown, folders: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  // What kubectl and helm say is about their cluster.
  const ofCluster = /(kubectl|helm) --kubeconfig/.test(message);
  const meaning = ofCluster ? undefined : meanings.find(([said]) => said.test(message))?.[1](folders);
  return meaning === undefined ? message : `${meaning}\n${message}`;
}

function freeMiB(folder: string): number {
  if (!existsSync(folder)) return freeMiB(dirname(folder));
  const { bavail, bsize } = statfsSync(folder);
  return Math.floor((bavail * bsize) / 2 ** 20);
}
