import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Processor time so far, in seconds. */
export interface ProcessorTime {
  /** Of everything on the machine. */
  readonly all: number;
  /** Of this process and of those that it started and that have ended. */
  readonly own: number;
  /** That there was to use. */
  readonly available: number;
}

/** The kernel counts in hundredths of a second. */
const ticksASecond = 100;

export function processorTime(): ProcessorTime {
  const { all, available } = machineTime(readFileSync('/proc/stat', 'utf8'));
  return { all, available, own: ownTime(readFileSync('/proc/self/stat', 'utf8')) };
}

/** Of the text of /proc/stat. */
export function machineTime(stat: string): Pick<ProcessorTime, 'all' | 'available'> {
  // user, nice, system, idle, waiting, interrupts, soft interrupts; the rest is counted in these or not ours to have.
  const ticks = (/^cpu +(.+)$/m.exec(stat)?.[1] ?? '').split(' ').slice(0, 7).map(Number);
  const sum = (of: readonly number[]) => of.reduce((total, each) => total + each, 0) / ticksASecond;
  return { available: sum(ticks), all: sum(ticks.toSpliced(3, 2)) };
}

/** Of the text of /proc/self/stat. */
export function ownTime(stat: string): number {
  // After the name, which may hold anything, the 12th to the 15th field: own time and that of children.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((total, ticks) => total + Number(ticks), 0) / ticksASecond;
}

/** What part of the machine others used between two readings: what makes figures worse than they are. */
export function shareOfOthers(before: ProcessorTime, after: ProcessorTime): number {
  const spent = (of: keyof ProcessorTime) => after[of] - before[of];
  return Math.max(0, spent('all') - spent('own')) / spent('available');
}

/** For people: what it is made of. */
export function machineText(): string {
  const cores = cpus();
  return `${cores.length} cores (${cores[0]?.model ?? 'unknown'}), Node ${process.version}`;
}
