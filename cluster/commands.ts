import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Whether a command can be found: on the caller's path, or in the folders that only root's path may hold. */
export function isCommand(name: string): boolean {
  return [...(process.env.PATH ?? '').split(delimiter), ...systemFolders].some((folder) =>
    isExecutable(join(folder, name)),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
