import type { OperatorProcess } from '../support/operator-process.ts';
import type { Bed } from './bed.ts';
import type { Budget } from './budget.ts';
import { type Figure, figure } from './figure.ts';
import { quiet, withOperator } from './operator.ts';
import type { RequestTable } from './report.ts';
import { isRead, isWrite, type RequestCount, total } from './requests.ts';

/** What a start of an operator takes, with what is in the cluster. */
export interface Start {
  readonly readySeconds: number;
  /** Resident, once it is at rest. */
  readonly megabytes: number;
  /** Until it is at rest. */
  readonly requests: readonly RequestCount[];
}

/** Starts an operator and ends it once it is at rest, several times. */
export async function starts(bed: Bed, times: number): Promise<readonly Start[]> {
  const found: Start[] = [];
  for (let i = 0; i < times; i += 1) {
    const start = performance.now();
    const atRest = async (operator: OperatorProcess): Promise<Start> => {
      const readySeconds = (performance.now() - start) / 1000;
      const requests = await quiet(operator);
      return { readySeconds, requests, megabytes: operator.rss() / 1e6 };
    };
    found.push(await withOperator(bed, atRest));
  }
  return found;
}

/** What starts are like with that in the cluster. */
export function startFigures(withWhat: string, found: readonly Start[]): readonly Figure[] {
  const of = (part: (start: Start) => number) => found.map(part);
  return [
    figure(
      { what: `start until ready, ${withWhat}`, unit: 's' },
      of(({ readySeconds }) => readySeconds),
    ),
    figure(
      { what: `memory after a start, ${withWhat}`, unit: 'MB' },
      of(({ megabytes }) => megabytes),
    ),
    figure(
      { what: `reads of a start, ${withWhat}`, unit: '' },
      of(({ requests }) => total(requests, isRead)),
    ),
  ];
}

/** The requests of the last of the starts. */
export function startTable(withWhat: string, found: readonly Start[]): RequestTable {
  return { title: `Requests of a start, ${withWhat}`, requests: found.at(-1)?.requests ?? [], by: 1 };
}

export function startBudget(withWhat: string, found: readonly Start[]): Budget {
  const writes = found.map(({ requests }) => total(requests, isWrite));
  return { what: `writes after a start, ${withWhat}`, limit: 0, found: Math.max(...writes) };
}
