// The fault suite: an operator, a real API server, and everything that can go wrong between the two.
// node test/faults/main.ts [--campaign C1,C4] [--seed N] [--share 0.05] [--replay FILE]
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import type { Campaign, Scene } from './campaign.ts';
import { campaigns } from './campaigns/all.ts';
import { parsePlan, type Result } from './plan.ts';
import { References } from './reference.ts';
import { lineOf, linesOf, passed, type Summary, writeReport } from './report.ts';
import { type Choice, runCampaign } from './run.ts';
import { workloads } from './workloads.ts';
import { World } from './world.ts';

const folder = join(import.meta.dirname, 'report');

const { values } = parseArgs({
  options: {
    campaign: { type: 'string', default: campaigns.map(({ id }) => id).join(',') },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    share: { type: 'string', default: '1' },
    replay: { type: 'string' },
  },
});

interface Order {
  readonly seed: number;
  readonly choices: readonly (readonly [Campaign, Choice])[];
}

/** @throws Error naming the option that is wrong */
function orderOf(): Order {
  if (values.replay !== undefined) {
    const plan = parsePlan(JSON.parse(readFileSync(values.replay, 'utf8')));
    return { seed: plan.seed, choices: [[campaignOf(plan.campaign), { plans: [plan] }]] };
  }
  const [seed, share] = [Number(values.seed), Number(values.share)];
  if (!Number.isInteger(seed)) throw new Error(`--seed must be a whole number, not ${values.seed}`);
  if (!(share > 0 && share <= 1)) throw new Error(`--share must be more than 0 and at most 1, not ${values.share}`);
  return { seed, choices: values.campaign.split(',').map((id) => [campaignOf(id), { share }] as const) };
}

function campaignOf(id: string): Campaign {
  const found = campaigns.find((campaign) => campaign.id === id);
  if (found === undefined)
    throw new Error(`there is no campaign ${id}: use ${campaigns.map((each) => each.id).join(', ')}`);
  return found;
}

const { seed, choices } = orderOf();
const summaries: Summary[] = [];
const results: Result[] = [];
console.log(`seed ${seed}`);
await using world = await World.start();
const scene: Scene = { world, references: new References(world), workloads: workloads.map(({ name }) => name), seed };
for (const [campaign, choice] of choices) {
  console.log(`\n── ${campaign.id}: ${campaign.title}`);
  const ran = await runCampaign(campaign, scene, choice, (result) => console.log(lineOf(result)));
  summaries.push(ran.summary);
  results.push(...ran.results);
  writeReport(folder, summaries, results);
}
console.log(`\n${summaries.flatMap(linesOf).join('\n')}`);
console.log(`\nthe report is in ${relative(process.cwd(), folder)}/`);
process.exitCode = summaries.every(passed) ? 0 : 1;
