import type { OperatorProcess } from '../support/operator-process.ts';
import type { Bed } from './bed.ts';
import type { Budget } from './budget.ts';
import { type Figure, figure, medianOf } from './figure.ts';
import { Fleet } from './fleet.ts';
import { metricsOf, quiet } from './operator.ts';
import { peer } from './peer.ts';
import type { RequestTable } from './report.ts';
import { isCall, metricIn, type RequestCount, requestsSince, total } from './requests.ts';

/** What it took to serve many Microservices that were created at once. */
export interface Creation {
  /** It may grow later. */
  readonly fleet: Fleet;
  readonly count: number;
  /** From the first one that was sent until all were served: every child was seen, and every status. */
  readonly seconds: number;
  /** Of the operator, until it had nothing more to do. */
  readonly requests: readonly RequestCount[];
  /** The same, until all pods were reported ready and every status said so. */
  readonly requestsUntilReady: readonly RequestCount[];
  /** Time of the processor that the operator used for it, until the children were there. */
  readonly operatorSeconds: number;
}

/** Has the operator serve so many Microservices that come at once. It has to be at rest. */
export async function create(bed: Bed, operator: OperatorProcess, count: number): Promise<Creation> {
  const fleet = await Fleet.found(bed);
  const before = await quiet(operator);
  const usedBefore = await usedSeconds(operator);
  const start = performance.now();
  await fleet.grow(count);
  const seconds = ((await fleet.served()) - start) / 1000;
  const operatorSeconds = (await usedSeconds(operator)) - usedBefore;
  const requests = requestsSince(before, await quiet(operator));
  await fleet.settle();
  const requestsUntilReady = requestsSince(before, await quiet(operator));
  return { fleet, count, seconds, requests, requestsUntilReady, operatorSeconds };
}

async function usedSeconds(operator: OperatorProcess): Promise<number> {
  return metricIn(await metricsOf(operator), 'process_cpu_seconds_total');
}

/** Requests to the API server that nobody can do without until a resource is served: itself, its children, a status. */
const fewestRequests = ({ fleet }: Creation) => 1 + fleet.childKinds.length + 1;

/** What many resources at once are like; with the rate of bare writes, set against what the API server takes. */
export function creationFigures(creations: readonly Creation[], bareRate?: number): readonly Figure[] {
  const of = (part: (creation: Creation) => number) => creations.map(part);
  const rates = of(({ seconds, count }) => count / seconds);
  const shares =
    bareRate === undefined ? [] : of((each) => (each.count / each.seconds / bareRate) * fewestRequests(each));
  return [
    figure(
      { what: `${creations[0]?.count} resources at once, until served`, unit: 's' },
      of(({ seconds }) => seconds),
    ),
    figure({ what: 'the same as a rate', unit: 'resources/s', better: 'more' }, rates, {
      ...(shares.length > 0 && { bare: { ratio: medianOf(shares), of: 'of the bare limit' } }),
      peer: peer.resourcesASecond,
    }),
    figure(
      { what: 'processor time of the operator for each', unit: 'ms' },
      of(({ operatorSeconds, count }) => (operatorSeconds * 1000) / count),
    ),
    figure(
      { what: 'requests for each until served', unit: '' },
      of(({ requests, count }) => total(requests, isCall) / count),
    ),
    figure({ what: 'requests for each until Ready', unit: '' }, of(requestsForEach), { peer: peer.requestsForEach }),
  ];
}

/** The requests of the operator for each resource until all are Ready. */
export function creationTable({ count, requestsUntilReady }: Creation): RequestTable {
  return { title: `Requests for each of ${count} resources, until Ready`, requests: requestsUntilReady, by: count };
}

/** Also that nothing escaped the count: a counter that stands still would keep every budget. */
export function creationBudgets(creations: readonly Creation[]): readonly Budget[] {
  const worst = (of: (creation: Creation) => number) => Math.max(...creations.map(of));
  return [
    {
      what: 'requests for each resource until Ready',
      limit: 12,
      found: worst(requestsForEach),
    },
    { what: 'children of whose creation the metrics know nothing', limit: 0, found: worst(uncounted) },
  ];
}

const requestsForEach = ({ requestsUntilReady, count }: Creation) => total(requestsUntilReady, isCall) / count;

function uncounted({ fleet, count, requestsUntilReady }: Creation): number {
  const created = total(requestsUntilReady, ({ verb, kind }) => verb === 'create' && kind !== 'Event');
  return count * fleet.childKinds.length - created;
}
