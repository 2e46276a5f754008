import type { OperatorProcess } from '../support/operator-process.ts';
import { bareRate, bareWrites } from './bare.ts';
import type { Bed } from './bed.ts';
import { type Creation, create, creationBudgets, creationFigures, creationTable } from './creation.ts';
import { type Figure, figure, medianOf } from './figure.ts';
import type { Fleet } from './fleet.ts';
import { withOperator } from './operator.ts';
import { peer } from './peer.ts';
import { edits, repairs } from './reaction.ts';
import type { Findings } from './report.ts';
import { type Rest, rest, restBudgets, restFigures } from './rest.ts';
import { startBudget, startFigures, starts, startTable } from './start.ts';

export interface Scale {
  /** How many Microservices come at once. */
  readonly count: number;
  readonly rounds: number;
  readonly restSeconds: number;
  /** To how many they grow in the end, to see what starts and memory are like then. */
  readonly most?: number;
}

/** What goes before, so that neither the API server nor the operator is met cold. */
const warmUp = { resources: 50, reactions: 3, starts: 1 };
/** So often a single reaction and a start are measured. */
const times = { reactions: 15, starts: 3 };

export const benchmarkWarmUp = `${warmUp.resources} resources bare and ${warmUp.resources} with the operator; ${warmUp.reactions} bare writes, edits and repairs; ${warmUp.starts} start`;

/** One after the other: the bare API server, starts, many at once, rest, single reactions, and starts with many. */
export async function benchmark(bed: Bed, { count, rounds, restSeconds, most }: Scale): Promise<Findings> {
  const bare = await bareRates(bed, count, rounds);
  await starts(bed, warmUp.starts);
  const empty = await starts(bed, times.starts);
  const work = await withOperator(bed, (operator) => workOf(bed, operator, { count, rounds, restSeconds }));
  const loaded = [{ withWhat: `${count} resources`, found: await starts(bed, times.starts) }];
  if (most !== undefined) {
    await withOperator(bed, () => grow(work.fleet, most));
    loaded.push({ withWhat: `${most} resources`, found: await starts(bed, times.starts) });
  }
  return {
    figures: [
      figure({ what: 'writes without an operator: the bare limit', unit: 'requests/s', better: 'more' }, bare),
      ...creationFigures(work.creations, medianOf(bare)),
      ...restFigures(work.resting),
      ...work.reactions,
      figure({ what: `memory after all that, ${count} resources`, unit: 'MB' }, [work.megabytes]),
      ...startFigures('no resources', empty),
      ...loaded.flatMap(({ withWhat, found }) => startFigures(withWhat, found)),
    ],
    tables: [
      ...work.creations.slice(-1).map(creationTable),
      { title: `Requests in ${restSeconds} s at rest`, requests: work.resting.requests, by: 1 },
      ...loaded.map(({ withWhat, found }) => startTable(withWhat, found)),
    ],
    budgets: [
      ...creationBudgets(work.creations),
      ...restBudgets(work.resting),
      ...loaded.map(({ withWhat, found }) => startBudget(withWhat, found)),
    ],
  };
}

async function bareRates(bed: Bed, count: number, rounds: number): Promise<readonly number[]> {
  await bareRate(bed, warmUp.resources);
  const rates: number[] = [];
  for (let i = 0; i < rounds; i += 1) rates.push(await bareRate(bed, count));
  return rates;
}

interface Work {
  readonly creations: readonly Creation[];
  /** That of the last creation, which is left in the cluster. */
  readonly fleet: Fleet;
  readonly resting: Rest;
  readonly reactions: readonly Figure[];
  readonly megabytes: number;
}

/** All that one operator does in its life. */
async function workOf(bed: Bed, operator: OperatorProcess, { count, rounds, restSeconds }: Scale): Promise<Work> {
  let last = await create(bed, operator, warmUp.resources);
  const creations: Creation[] = [];
  for (let i = 0; i < rounds; i += 1) {
    await last.fleet.clear();
    last = await create(bed, operator, count);
    creations.push(last);
  }
  const { fleet } = last;
  const resting = await rest(bed, operator, restSeconds);
  const reactions = await reactionFigures(bed, fleet);
  return { creations, fleet, resting, reactions, megabytes: operator.rss() / 1e6 };
}

async function reactionFigures(bed: Bed, fleet: Fleet): Promise<readonly Figure[]> {
  const keys = fleet.keys.slice(0, warmUp.reactions + times.reactions);
  const counted = (samples: readonly number[]) => samples.slice(warmUp.reactions);
  const bare = counted(await bareWrites(bed, keys.length));
  const edited = counted(await edits(bed, fleet, keys));
  const repaired = counted(await repairs(bed, fleet, keys));
  const against = (samples: readonly number[]) => ({
    ratio: medianOf(samples) / medianOf(bare),
    of: 'times the bare write',
  });
  return [
    figure({ what: 'bare write of a Deployment, until a watch shows it', unit: 'ms' }, bare),
    figure({ what: 'edit, until a watch shows the Deployment', unit: 'ms' }, edited, {
      bare: against(edited),
      peer: peer.editMs,
    }),
    figure({ what: 'deleted child, until a watch shows another', unit: 'ms' }, repaired, {
      bare: against(repaired),
      peer: peer.repairMs,
    }),
  ];
}

async function grow(fleet: Fleet, most: number): Promise<void> {
  await fleet.grow(most - fleet.keys.length);
  await fleet.served();
  await fleet.settle();
}
