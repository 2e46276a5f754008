import { setTimeout as sleep } from 'node:timers/promises';
import type { OperatorProcess } from '../support/operator-process.ts';
import type { Bed } from './bed.ts';
import type { Budget } from './budget.ts';
import { type Figure, figure } from './figure.ts';
import { quiet } from './operator.ts';
import { peer } from './peer.ts';
import { isRead, isWrite, type RequestCount, requestsSince, total } from './requests.ts';

/** What went on while there was nothing to do. */
export interface Rest {
  readonly seconds: number;
  readonly requests: readonly RequestCount[];
  /** Of Microservices and children, as a watch from outside saw them. */
  readonly changes: number;
}

/** Looks at an operator that has nothing to do, for so long. */
export async function rest({ outside }: Bed, operator: OperatorProcess, seconds: number): Promise<Rest> {
  const before = await quiet(operator);
  const { changes } = outside;
  await sleep(seconds * 1000);
  const requests = requestsSince(before, await quiet(operator));
  return { seconds, requests, changes: outside.changes - changes };
}

export function restFigures({ requests, seconds }: Rest): readonly Figure[] {
  const aMinute = (picks: typeof isRead) => [(total(requests, picks) * 60) / seconds];
  return [
    figure({ what: 'reads a minute at rest', unit: '' }, aMinute(isRead), { peer: peer.requestsAMinuteAtRest }),
    figure({ what: 'writes a minute at rest', unit: '' }, aMinute(isWrite)),
  ];
}

export function restBudgets({ requests, changes, seconds }: Rest): readonly Budget[] {
  return [
    { what: `reads in ${seconds} s at rest`, limit: 0, found: total(requests, isRead) },
    { what: `writes in ${seconds} s at rest`, limit: 0, found: total(requests, isWrite) },
    { what: `changes in ${seconds} s at rest, as a watch from outside sees them`, limit: 0, found: changes },
  ];
}
