import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';

/** Whether the machine has the one hierarchy of cgroup v2. */
export const unified = () => existsSync(join(root, 'cgroup.controllers'));

/** Every hierarchy that a node's cgroup is made in. */
function hierarchies(): string[] {
  if (unified()) return [root];
  return readdirSync(root).map((name) => join(root, name));
}

/** Makes the node's cgroup in every hierarchy, with all processors and memory of the machine. */
export function makeCgroups(name: string): void {
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, name);
    mkdirSync(folder, { recursive: true });
    // In v1 a cpuset starts empty, and no process may enter it before it has both.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (!unified() && existsSync(join(folder, file))) {
        writeFileSync(join(folder, file), readFileSync(join(hierarchy, file)));
      }
    }
    if (unified()) {
      const controllers = readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' ');
      const enable = controllers.map((controller) => `+${controller}`).join(' ');
      writeFileSync(join(root, 'cgroup.subtree_control'), enable);
      writeFileSync(join(folder, 'cgroup.subtree_control'), enable);
    }
  }
}

/** Removes the node's cgroups, innermost first. Gives the ones that still hold a process. */
export function removeCgroups(name: string): string[] {
  return hierarchies().flatMap((hierarchy) => remove(join(hierarchy, name)));
}

function remove(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const left = inner.flatMap((entry) => remove(join(folder, entry.name)));
  try {
    rmdirSync(folder);
    return left;
  } catch {
    return [...left, folder];
  }
}
