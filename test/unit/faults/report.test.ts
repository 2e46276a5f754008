import { describe, expect, it } from 'vitest';
import type { Result } from '../../faults/plan.ts';
import { distributionOf, lineOf, linesOf, passed, summaryOf } from '../../faults/report.ts';

const campaign = {
  id: 'C1',
  title: 'a campaign',
  bounds: [{ measure: 'tookMs', of: 'p99', atMost: 100 }],
} as const;

function result(at: number, parts: Partial<Result> = {}): Result {
  const plan = { campaign: 'C1', workload: 'scale', fault: 'killed', at, seed: 1 } as const;
  return { plan, problems: [], struck: 'apply deployments', measures: { tookMs: 10 }, seconds: 1, ...parts };
}

const summed = (...results: Result[]) => summaryOf(campaign, results, { seed: 1, seconds: 2 });

describe('the summary of a campaign', () => {
  it('passes when every plan did and every bound holds', () => {
    expect(passed(summed(result(1), result(2)))).toBe(true);
  });

  it('fails when a plan did', () => {
    expect(passed(summed(result(1), result(2, { problems: ['O1'] })))).toBe(false);
  });

  it('fails when a measure is larger than it may be, and says which', () => {
    const summary = summed(result(1, { measures: { tookMs: 101 } }));
    expect(passed(summary)).toBe(false);
    expect(linesOf(summary).at(-1)).toContain('tookMs: p99 is 101, and may be 100');
  });

  it('fails when nothing struck: then nothing was shown', () => {
    expect(passed(summed(result(1, { struck: undefined }), result(2)))).toBe(true);
    expect(passed(summed(result(1, { struck: undefined })))).toBe(false);
    expect(passed(summed())).toBe(false);
  });
});

describe('a distribution', () => {
  it('takes percentiles from values that were measured', () => {
    const values = Array.from({ length: 200 }, (_, at) => 200 - at);
    expect(distributionOf(values)).toEqual({ count: 200, p50: 100, p99: 198, max: 200, sum: 20_100 });
    expect(distributionOf([7])).toMatchObject({ p50: 7, p99: 7, max: 7 });
  });
});

describe('the line of a plan', () => {
  it('says what was hit, what was measured, and what is wrong', () => {
    expect(lineOf(result(3))).toBe('passed  C1 scale / killed / 3  hit: apply deployments  tookMs=10  1.0 s');
    expect(lineOf(result(3, { problems: ['O2 counts: x'] }))).toMatch(/^FAILED .*\n {8}O2 counts: x$/);
    expect(lineOf(result(3, { struck: undefined }))).toMatch(/^unhurt {2}C1 scale/);
  });
});
