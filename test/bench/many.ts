import type { ObjectKey } from '../../operator/src/api/object.ts';
import type { OperatorProcess } from '../support/operator-process.ts';
import { bareWrites } from './bare.ts';
import type { Bed } from './bed.ts';
import type { Budget } from './budget.ts';
import { type Creation, create, creationBudgets, creationFigures, creationTable } from './creation.ts';
import { type Figure, figure, medianOf } from './figure.ts';
import { whileFlapping } from './flapper.ts';
import { addForeign, type ForeignKind, foreignKinds } from './foreign.ts';
import { heapKept } from './heap.ts';
import { quiet, withOperator } from './operator.ts';
import { edits } from './reaction.ts';
import type { Findings } from './report.ts';
import { isCall, requestsSince, total } from './requests.ts';
import { type Rest, rest, restBudgets, restFigures } from './rest.ts';
import { type Start, startBudget, startFigures, starts, startTable } from './start.ts';

const restSeconds = 60;
const warmUp = { resources: 50, edits: 3 };
const times = { edits: 30, starts: 3 };

export const manyWarmUp = `${warmUp.resources} resources; ${warmUp.edits} edits`;

/** Objects of others of each kind. */
const foreignCount = 10_000;
/**
 * Bytes of memory that an object of others may cost. Names and versions of all ConfigMaps are kept, because pods may use
 * any of them; of Pods and Secrets nothing. Where nothing is kept, what is left is the error of the measurement.
 */
const mostBytes: Readonly<Record<ForeignKind, number>> = { Pod: 100, Secret: 100, ConfigMap: 600 };

/** An operator with many resources: at rest, started anew, beside one that never rests, and in a full cluster. */
export async function many(bed: Bed, count: number): Promise<Findings> {
  const { creation, resting, beside } = await withOperator(bed, (operator) => life(bed, operator, count));
  const withWhat = `${count} resources`;
  const restarts = await starts(bed, times.starts);
  const crowd = await crowded(bed);
  return {
    figures: [
      ...creationFigures([creation]),
      ...restFigures(resting),
      ...beside.figures,
      ...startFigures(withWhat, restarts),
      ...crowd.figures,
    ],
    tables: [
      creationTable(creation),
      { title: `Requests in ${restSeconds} s at rest`, requests: resting.requests, by: 1 },
      startTable(withWhat, restarts),
    ],
    budgets: [
      ...creationBudgets([creation]),
      ...restBudgets(resting),
      startBudget(withWhat, restarts),
      ...beside.budgets,
      ...crowd.budgets,
    ],
  };
}

type Part = Pick<Findings, 'figures' | 'budgets'>;

interface Life {
  readonly creation: Creation;
  readonly resting: Rest;
  readonly beside: Part;
}

async function life(bed: Bed, operator: OperatorProcess, count: number): Promise<Life> {
  await (await create(bed, operator, warmUp.resources)).fleet.clear();
  const creation = await create(bed, operator, count);
  const resting = await rest(bed, operator, restSeconds);
  return { creation, resting, beside: await besideFlapping(bed, operator, creation) };
}

/** Edits of some resources while all is calm, and while another one is edited all the time; bare writes for comparison. */
async function besideFlapping(bed: Bed, operator: OperatorProcess, { fleet }: Creation): Promise<Part> {
  const [restless, ...others] = fleet.keys.slice(0, 1 + warmUp.edits + times.edits) as [ObjectKey, ...ObjectKey[]];
  const measure = async () => ({
    bare: (await bareWrites(bed, others.length)).slice(warmUp.edits),
    edited: (await edits(bed, fleet, others)).slice(warmUp.edits),
  });
  const calm = await measure();
  const before = await quiet(operator);
  const { result: restlessly, edited, seconds } = await whileFlapping(fleet, restless, measure);
  const requests = total(requestsSince(before, await quiet(operator)), isCall);
  await fleet.settle([restless]);
  const beside = `beside one edited ${(edited / seconds).toFixed(1)} times a second`;
  return {
    figures: [
      ...reactionFigures('while all is calm', calm),
      ...reactionFigures(beside, restlessly),
      figure({ what: `times as long as while all is calm, ${beside}`, unit: '' }, [
        medianOf(restlessly.edited) / medianOf(calm.edited),
      ]),
    ],
    budgets: [
      // Against the bare writes of the same time: the edits themselves, and whatever else goes on, slow the API server.
      {
        what: `times that edits take longer than bare writes do, ${beside}`,
        limit: 2,
        found: againstBare(restlessly) / againstBare(calm),
      },
      // One child, and two statuses and events. More would slow everybody, bare writes too.
      { what: 'requests for each edit meanwhile', limit: 5, found: requests / (edited + others.length) },
    ],
  };
}

interface Reactions {
  readonly bare: readonly number[];
  readonly edited: readonly number[];
}

const againstBare = ({ bare, edited }: Reactions) => medianOf(edited) / medianOf(bare);

function reactionFigures(when: string, reactions: Reactions): readonly Figure[] {
  return [
    figure({ what: `bare write of a Deployment, ${when}`, unit: 'ms' }, reactions.bare),
    figure({ what: `edit, until a watch shows it, ${when}`, unit: 'ms' }, reactions.edited, {
      bare: { ratio: againstBare(reactions), of: 'times the bare write' },
    }),
  ];
}

/** What objects of others cost in memory, one kind after the other. */
async function crowded(bed: Bed): Promise<Part> {
  let before = await heapKept(bed);
  const figures: Figure[] = [figure({ what: 'heap kept, none of others', unit: 'MB' }, [before / 1e6])];
  const budgets: Budget[] = [];
  for (const kind of foreignKinds) {
    await addForeign(bed, kind, foreignCount);
    const after = await heapKept(bed);
    const each = (after - before) / foreignCount;
    before = after;
    const found: readonly Start[] = await starts(bed, times.starts);
    const withWhat = `${foreignCount.toLocaleString('en')} more foreign ${kind}s`;
    figures.push(figure({ what: `heap for each of ${withWhat}`, unit: 'bytes' }, [each]));
    figures.push(...startFigures(withWhat, found));
    budgets.push({ what: `bytes of heap for each foreign ${kind}`, limit: mostBytes[kind], found: each });
  }
  return { figures, budgets };
}
