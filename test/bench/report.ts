import { type Budget, isKept } from './budget.ts';
import type { Figure } from './figure.ts';
import { peer } from './peer.ts';
import type { RequestCount } from './requests.ts';

/** Requests that were counted, and for how many resources. */
export interface RequestTable {
  readonly title: string;
  readonly requests: readonly RequestCount[];
  /** The counts are divided by this. */
  readonly by: number;
}

export interface Findings {
  readonly figures: readonly Figure[];
  readonly tables: readonly RequestTable[];
  readonly budgets: readonly Budget[];
}

export interface Report extends Findings {
  readonly title: string;
  readonly machine: string;
  readonly warmUp: string;
  /** Percent of the machine that went to what is not part of the measurement. */
  readonly others: number;
  readonly seconds: number;
}

/** Percent of the machine: with more, times and rates tell about the others. Counts of requests hold all the same. */
const mostOthers = 5;

/** The report for people. */
export function textOf({ title, machine, others, warmUp, figures, tables, budgets, seconds }: Report): string {
  return [
    title,
    machine,
    `Others used ${others} % of the machine meanwhile${others > mostOthers ? ': TOO MUCH, take no time or rate from this run' : ''}`,
    `Warm-up, not counted: ${warmUp}`,
    '',
    columns([['', '', 'median', 'worst', 'times', 'against the bare API server', 'peer'], ...figures.map(rowOf)]),
    '',
    ...(figures.some((figure) => figure.peer !== undefined) ? [`peer: ${peer.name}, ${peer.measured}`, ''] : []),
    ...tables.flatMap((table) => [table.title, table.requests.length === 0 ? 'none' : columns(rowsOf(table)), '']),
    ...budgets.map((budget) => `${isKept(budget) ? 'kept  ' : 'BROKEN'}  ${budget.what}: ${textOfBudget(budget)}`),
    '',
    `${seconds.toFixed(0)} s in all`,
  ].join('\n');
}

function textOfBudget({ limit, found }: Budget): string {
  return `${numberOf(found)} of at most ${numberOf(limit)}`;
}

function rowOf({ what, unit, median, worst, times, bare, peer: known }: Figure): readonly string[] {
  const against = bare === undefined ? '' : `${numberOf(bare.ratio)} ${bare.of}`;
  return [what, unit, numberOf(median), numberOf(worst), String(times), against, known ?? ''];
}

function rowsOf({ requests, by }: RequestTable): readonly (readonly string[])[] {
  const rows = requests.map(({ verb, kind, code, count }) => [verb, kind, code, numberOf(count / by)]);
  return [['verb', 'kind', 'answer', 'requests'], ...rows.toSorted((a, b) => (a.join() < b.join() ? -1 : 1))];
}

/** Three digits that mean something. */
function numberOf(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const isNumber = (text: string) => /^-?[\d,.]+$/.test(text);

/** Lines of equally wide columns; those that begin with a number, below the heading, stand to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => (row[column] ?? '').length));
  const isRight = (column: number) => isNumber(rows[1]?.[column] ?? '');
  const cell = (text: string, column: number) =>
    isRight(column) ? text.padStart(width(column)) : text.padEnd(width(column));
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}
