import type { Campaign, Scene } from './campaign.ts';
import { type Plan, type Result, sampleOf } from './plan.ts';
import { type Summary, summaryOf } from './report.ts';

/** What of a campaign is run: a share of its plans, or plans that are known. */
export type Choice = { readonly share: number } | { readonly plans: readonly Plan[] };

/** Runs a campaign and sums it up. */
export async function runCampaign(
  campaign: Campaign,
  scene: Scene,
  choice: Choice,
  tell: (result: Result) => void,
): Promise<{ readonly summary: Summary; readonly results: readonly Result[] }> {
  const started = performance.now();
  const results: Result[] = [];
  const note = (result: Result) => {
    results.push(result);
    tell(result);
  };
  try {
    const plans = 'plans' in choice ? choice.plans : sampleOf(await campaign.plans(scene), choice.share, scene.seed);
    await campaign.run(scene, plans, note);
  } catch (error) {
    note(brokenOff(campaign, scene, started, error));
  }
  const seconds = (performance.now() - started) / 1000;
  return { summary: summaryOf(campaign, results, { seed: scene.seed, seconds }), results };
}

/** What stands for the plans that could not be tried, because an operator without any fault did not do its part. */
function brokenOff({ id }: Campaign, { seed }: Scene, started: number, error: unknown): Result {
  return {
    plan: { campaign: id, workload: 'all that was left', fault: 'none', at: 0, seed },
    problems: [`broken off: ${String(error)}`],
    struck: undefined,
    measures: {},
    seconds: (performance.now() - started) / 1000,
  };
}
