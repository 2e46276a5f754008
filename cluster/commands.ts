import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Whether a command can be found: on the caller's path, or in the folders that only root's path may hold. */
export function isCommand(name: string): boolean {
  return [...(process.env.PATH ?? '').split(delimiter), ...systemFolders].some((folder) =>
    isAccessible(join(folder, name), constants.X_OK),
  );
}

/** Whether this process may use a file so: `constants` of node:fs. */
export function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
