import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../../services/loadgen/src/random.ts';
import { crashPlans } from '../../faults/campaigns/c1.ts';
import { unobservedPlans } from '../../faults/campaigns/c3.ts';
import { lanePlans } from '../../faults/campaigns/c4.ts';
import { answerPlans } from '../../faults/campaigns/c5.ts';
import { driftPlans } from '../../faults/campaigns/c8.ts';
import { clashPlans } from '../../faults/campaigns/c9.ts';
import { deletionPlans } from '../../faults/campaigns/c10.ts';
import { lanes } from '../../faults/lanes.ts';
import { nameOf, type Plan, parsePlan, sampleOf } from '../../faults/plan.ts';
import { shuffled } from '../../faults/random.ts';

const writes = ['apply deployments orders', 'apply services orders', 'patch microservices/status orders'];

/** The plans of every campaign, where a workload takes three writes. */
const allPlans = (seed: number): readonly Plan[] => [
  ...crashPlans('scale', { writes }, seed),
  ...lanes.flatMap(({ resource }, lane) => lanePlans(resource, seed + lane)),
  ...unobservedPlans(seed),
  ...answerPlans('scale', { writes }, seed),
  ...driftPlans(seed),
  ...clashPlans(seed),
  ...deletionPlans(seed),
];

describe('the plans of the fault suite', () => {
  it('are the same for the same seed, and in another order for another one', () => {
    expect(allPlans(1)).toEqual(allPlans(1));
    const order = (seed: number) => allPlans(seed).map(({ fault }) => fault);
    expect(order(2)).not.toEqual(order(1));
  });

  it('are each one of a kind', () => {
    const names = allPlans(1).map(nameOf);
    expect(new Set(names).size).toBe(names.length);
  });

  it('kill the operator in three moments of every write, and of what somebody does', () => {
    const plans = crashPlans('scale', { writes }, 1);
    expect(plans).toHaveLength(3 * (writes.length + 1));
    expect(new Set(plans.map(({ at }) => at))).toEqual(new Set([0, 1, 2, 3]));
  });

  it('break watches 500 times, with those that are held back', () => {
    const plans = allPlans(1).filter(({ campaign }) => campaign === 'C3' || campaign === 'C4');
    expect(plans.length).toBeGreaterThanOrEqual(500);
  });

  it('can be told by a file, and nothing else is taken for one', () => {
    const [plan] = allPlans(1);
    expect(parsePlan(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
    expect(() => parsePlan({ ...plan, campaign: 'C0' })).toThrow('not a plan');
    expect(() => parsePlan({ ...plan, at: 'first' })).toThrow('not a plan');
    expect(() => parsePlan(undefined)).toThrow('not a plan');
  });
});

describe('a sample of plans', () => {
  const plans = allPlans(1);

  it('is the same for the same seed, in the order of the plans, and as large as its share', () => {
    const sample = sampleOf(plans, 0.1, 5);
    expect(sampleOf(plans, 0.1, 5)).toEqual(sample);
    expect(sampleOf(plans, 0.1, 6)).not.toEqual(sample);
    expect(sample).toHaveLength(Math.ceil(plans.length * 0.1));
    expect(sample).toEqual(plans.filter((plan) => sample.includes(plan)));
  });

  it('is never empty, and all of them when all are asked for', () => {
    expect(sampleOf(plans, 0.000_001, 1)).toHaveLength(1);
    expect(sampleOf(plans, 1, 1)).toEqual(plans);
  });
});

describe('chance', () => {
  it('is the same for the same seed, and evenly spread', () => {
    const [one, same] = [randomNumbers(7), randomNumbers(7)];
    const numbers = Array.from({ length: 10_000 }, one);
    expect(Array.from({ length: 10_000 }, same)).toEqual(numbers);
    const tenths = Map.groupBy(numbers, (number) => Math.floor(number * 10));
    expect(new Set(tenths.keys())).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    for (const of of tenths.values()) expect(of.length).toBeGreaterThan(850);
  });

  it('loses nothing when it shuffles', () => {
    const items = Array.from({ length: 100 }, (_, at) => at);
    expect(shuffled(items, 3).toSorted((a, b) => a - b)).toEqual(items);
    expect(shuffled(items, 3)).not.toEqual(items);
  });
});
