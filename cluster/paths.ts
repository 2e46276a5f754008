import { homedir } from 'node:os';
import { join } from 'node:path';

/** The root of the clone. */
export const repository = join(import.meta.dirname, '..');

/** What is kept between clusters and can be made again: programs, images, package sources. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'microservice-platform');
}

/** Everything that belongs to one embedded cluster; `down` removes it. */
export function stateFolder(name: string): string {
  return join('/var/lib/microservice-platform', name);
}

/** The same for a cluster that is not embedded, and so needs no root: a folder of the user's own. */
export function userStateFolder(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'microservice-platform', name);
}
