import type { Microservice, MicroserviceStatus, SloStatus } from '../api/microservice.generated.ts';
import { type Budgets, type Objective, objectivesOf } from '../api/objectives.ts';

/** What the status says of the objectives: nothing where there are none. */
export function sloStatus(ms: Microservice, budgets: Budgets): Pick<MicroserviceStatus, 'slo' | 'budget'> {
  const slo = objectivesOf(ms).map((objective) => statusOf(objective, ms, budgets));
  if (slo.length === 0) return {};
  const known = slo.flatMap(({ budgetLeft }) => (budgetLeft === undefined ? [] : [Number.parseInt(budgetLeft, 10)]));
  return { slo, ...(known.length > 0 && { budget: `${Math.min(...known)}%` }) };
}

function statusOf(objective: Objective, ms: Microservice, budgets: Budgets): SloStatus {
  const { name, ratio, within } = objective;
  const promise = {
    name,
    objective: `${Number((ratio * 100).toFixed(4))}%`,
    ...(within !== undefined && { target: within }),
  };
  switch (budgets.kind) {
    case 'unasked':
      return { ...promise, ...before(promise, ms) };
    case 'unknown':
      return { ...promise, note: budgets.because };
    case 'known':
      return { ...promise, ...figureOf(objective, budgets.left[name]) };
  }
}

/** What was said of the same promise before: a new leader takes nothing back until it knows better. */
function before(promise: Pick<SloStatus, 'name' | 'objective' | 'target'>, { status }: Microservice) {
  const same = status?.slo?.find(
    ({ name, objective, target }) =>
      name === promise.name && objective === promise.objective && target === promise.target,
  );
  if (same === undefined) return { note: 'not known yet: Prometheus is asked within a minute' };
  const { budgetLeft, note } = same;
  return { ...(budgetLeft !== undefined && { budgetLeft }), ...(note !== undefined && { note }) };
}

function figureOf({ le }: Objective, percent: number | undefined): Pick<SloStatus, 'budgetLeft' | 'note'> {
  if (percent !== undefined) return { budgetLeft: `${percent}%` };
  const bucket = le === undefined ? '' : `, or its histogram has no bucket of ${le} s`;
  return { note: `no data: Prometheus has counted no requests of this service yet${bucket}` };
}
