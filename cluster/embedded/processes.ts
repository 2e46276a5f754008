import { readdirSync, readFileSync } from 'node:fs';

/** The processes whose command line ends with these arguments, asked of the kernel: no file can be out of date. */
export function processesOf(...ending: readonly string[]): number[] {
  const wanted = ending.join('\0');
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && commandLine(pid).endsWith(wanted));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '');
  } catch {
    return '';
  }
}
