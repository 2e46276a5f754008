import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Campaign, Scene } from '../faults/campaign.ts';
import { crashes } from '../faults/campaigns/c1.ts';
import { unobserved } from '../faults/campaigns/c3.ts';
import { watchesBroken } from '../faults/campaigns/c4.ts';
import { answers } from '../faults/campaigns/c5.ts';
import { drift } from '../faults/campaigns/c8.ts';
import { clashes } from '../faults/campaigns/c9.ts';
import { deletions } from '../faults/campaigns/c10.ts';
import { nameOf } from '../faults/plan.ts';
import { shuffled } from '../faults/random.ts';
import { References } from '../faults/reference.ts';
import { lineOf } from '../faults/report.ts';
import { runCampaign } from '../faults/run.ts';
import { workloads } from '../faults/workloads.ts';
import { World } from '../faults/world.ts';

/** The same seed, the same faults. All of them are in `make faults`. */
const seed = Number(process.env.FAULTS_SEED ?? 1);

/** Workloads with many writes and with few: one of each takes part in a run. */
const [long, short] = [
  ['create', 'autoscaler on', 'autoscaler off'],
  ['new image', 'scale', 'port renamed', 'deleted and made anew'],
];

/** Rounds of the same faults are for those who have time. */
const mostAt = 12;

let world: World;
let scene: Scene;

beforeAll(async () => {
  world = await World.start();
  const chosen = [...shuffled(long, seed).slice(0, 1), ...shuffled(short, seed).slice(0, 1)];
  expect(workloads.map(({ name }) => name)).toEqual(expect.arrayContaining(chosen));
  scene = { world, references: new References(world), workloads: chosen, seed };
});
afterAll(async () => {
  console.log(`faults were chosen with FAULTS_SEED=${seed}`);
  await world?.[Symbol.asyncDispose]();
});

/** Tries some of the quick plans of a campaign, and gives the lines of those that failed and what was too slow. */
async function faultsOf(campaign: Campaign, count: number): Promise<readonly string[]> {
  const quick = (await campaign.plans(scene)).filter(({ fault, at }) => !campaign.slow.includes(fault) && at <= mostAt);
  const chosen = shuffled(quick, seed).slice(0, count);
  const { results, summary } = await runCampaign(campaign, scene, { plans: chosen }, () => undefined);
  const faults = [...results.filter(({ problems }) => problems.length > 0).map(lineOf), ...summary.broken];
  // One whose moment never came has shown nothing.
  return summary.unstruck < chosen.length
    ? faults
    : [...faults, `nothing was struck of ${chosen.map(nameOf).join(', ')}`];
}

test('an operator that is killed at a write is followed by one that ends where it would have ended', async () => {
  expect(await faultsOf(crashes, 3)).toEqual([]);
});

test('an operator whose watch breaks goes on to react to what it alone tells of', async () => {
  expect(await faultsOf(watchesBroken, 5)).toEqual([]);
});

test('an operator that was not told of something that was undone does as if nothing had happened', async () => {
  expect(await faultsOf(unobserved, 6)).toEqual([]);
});

test('an operator whose write is answered with an error ends where it would have ended without', async () => {
  expect(await faultsOf(answers, 5)).toEqual([]);
});

test('an operator puts right what somebody changed that is its own, and leaves alone what is not', async () => {
  expect(await faultsOf(drift, 5)).toEqual([]);
});

test('an operator leaves alone what has the name of a child and is somebody else’s, and says so', async () => {
  expect(await faultsOf(clashes, 3)).toEqual([]);
});

test('a Microservice that is deleted, in whatever way, leaves behind what it should and nothing else', async () => {
  expect(await faultsOf(deletions, 2)).toEqual([]);
});
