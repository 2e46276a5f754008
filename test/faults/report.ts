import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bound, Campaign } from './campaign.ts';
import { nameOf, type Plan, type Result } from './plan.ts';

/** What a measure came to over all plans of a campaign. */
export interface Distribution {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly sum: number;
}

export interface Summary {
  readonly id: Campaign['id'];
  readonly title: string;
  readonly plans: number;
  readonly failed: number;
  /** Plans whose fault never struck: they prove nothing. */
  readonly unstruck: number;
  readonly seed: number;
  readonly seconds: number;
  readonly measures: Readonly<Record<string, Distribution>>;
  /** Bounds that a measure broke, in words. */
  readonly broken: readonly string[];
}

export function distributionOf(values: readonly number[]): Distribution {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  const sum = sorted.reduce((total, value) => total + value, 0);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1), sum };
}

export function summaryOf(
  { id, title, bounds }: Pick<Campaign, 'id' | 'title' | 'bounds'>,
  results: readonly Result[],
  { seed, seconds }: Pick<Summary, 'seed' | 'seconds'>,
): Summary {
  const names = [...new Set(results.flatMap((result) => Object.keys(result.measures)))].toSorted();
  const valuesOf = (name: string) => results.flatMap(({ measures }) => measures[name] ?? []);
  const measures = Object.fromEntries(names.map((name) => [name, distributionOf(valuesOf(name))]));
  return {
    id,
    title,
    plans: results.length,
    failed: results.filter(({ problems }) => problems.length > 0).length,
    unstruck: results.filter(({ struck }) => struck === undefined).length,
    seed,
    seconds,
    measures,
    broken: bounds.flatMap((bound) => brokenBy(measures[bound.measure], bound)),
  };
}

function brokenBy(found: Distribution | undefined, { measure, of, atMost }: Bound): string[] {
  return found === undefined || found[of] <= atMost
    ? []
    : [`${measure}: ${of} is ${Math.round(found[of])}, and may be ${atMost}`];
}

/** Whether everything is as it has to be. A campaign of which nothing struck has shown nothing. */
export function passed({ failed, broken, plans, unstruck }: Summary): boolean {
  return failed === 0 && broken.length === 0 && unstruck < plans;
}

export function lineOf({ plan, problems, struck, measures, seconds }: Result): string {
  const word = problems.length > 0 ? 'FAILED' : struck === undefined ? 'unhurt' : 'passed';
  const numbers = Object.entries(measures).map(([name, value]) => `${name}=${Math.round(value)}`);
  const where = struck === undefined ? [] : [`hit: ${struck}`];
  const first = [`${word}  ${nameOf(plan)}`, ...where, ...numbers, `${seconds.toFixed(1)} s`].join('  ');
  return [first, ...problems.map((problem) => `        ${problem}`)].join('\n');
}

export function linesOf(summary: Summary): readonly string[] {
  const { id, title, plans, failed, unstruck, seed, seconds, measures, broken } = summary;
  return [
    `${passed(summary) ? 'passed' : 'FAILED'}  ${id}: ${title}`,
    `        ${plans} plans, ${failed} failed, ${unstruck} never struck, seed ${seed}, ${Math.round(seconds)} s`,
    ...Object.entries(measures).map(([name, { count, p50, p99, max }]) => {
      const [half, most, all] = [p50, p99, max].map(Math.round);
      return `        ${name}: p50 ${half}, p99 ${most}, max ${all} (${count} values)`;
    }),
    ...broken.map((line) => `        ${line}`),
  ];
}

/** Writes what a run came to, and a file for each plan that failed, which is enough to see it again. */
export function writeReport(folder: string, summaries: readonly Summary[], results: readonly Result[]): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  writeFileSync(join(folder, 'report.json'), json({ summaries, results }));
  const failed = results.filter(({ problems }) => problems.length > 0);
  for (const { plan } of failed) writeFileSync(join(folder, fileOf(plan)), json(plan));
}

function fileOf(plan: Plan): string {
  return `${nameOf(plan).replaceAll(/[^A-Za-z0-9]+/g, '-')}.json`;
}
