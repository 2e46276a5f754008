import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The processes whose command line ends with these arguments, asked of the kernel: no file can be out of date. */
export function processesOf(...ending: readonly string[]): number[] {
  const wanted = ending.join('\0');
  return all().filter((pid) => pid !== process.pid && contentOf(pid, 'cmdline').replace(/\0$/, '').endsWith(wanted));
}

/**
 * What a process has started, and what that has started, the innermost first. Not what was detached into a session of
 * its own, which is to outlive its parent. Nothing where there is no /proc.
 */
export function descendantsOf(pid: number): number[] {
  const { session } = placeOf(pid);
  const places = all().map((each) => ({ pid: each, ...placeOf(each) }));
  const children = Map.groupBy(
    places.filter((place) => place.session === session),
    ({ parent }) => parent,
  );
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((child) => [...below(child.pid), child.pid]);
  return below(pid);
}

/** Sends a signal to each, whether it is still there or not. */
export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

function all(): number[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

// The name of the program, in brackets, may hold anything.
function placeOf(pid: number): { parent: number; session: number } {
  const [, parent, , session] = contentOf(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  return { parent: Number(parent), session: Number(session) };
}

function contentOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
