import { shuffled } from './random.ts';

const campaignIds = ['C1', 'C4', 'C3', 'C5', 'C8', 'C9', 'C10'] as const;
export type CampaignId = (typeof campaignIds)[number];

/** One thing that goes wrong at one moment. Plain JSON: a file that holds it is enough to see it again. */
export interface Plan {
  readonly campaign: CampaignId;
  /** What somebody does to Microservices meanwhile. */
  readonly workload: string;
  /** What goes wrong. */
  readonly fault: string;
  /** Where it strikes; what is counted is the campaign's to say. */
  readonly at: number;
  /** Whatever the plan leaves to chance follows from this. */
  readonly seed: number;
}

/** What became of a plan. */
export interface Result {
  readonly plan: Plan;
  /** What was not as it has to be, in words. None: the plan passed. */
  readonly problems: readonly string[];
  /** What the fault hit; undefined when its moment never came, and then the plan proves nothing. */
  readonly struck: string | undefined;
  /** Numbers that were measured, by name; the name ends with the unit. */
  readonly measures: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** One plain line that names a plan. */
export function nameOf({ campaign, workload, fault, at }: Plan): string {
  return `${campaign} ${workload} / ${fault} / ${at}`;
}

/** A part of the plans, at least one of them, in their order: the same seed, the same part. */
export function sampleOf(plans: readonly Plan[], share: number, seed: number): readonly Plan[] {
  const count = Math.max(1, Math.ceil(plans.length * share));
  const chosen = new Set(shuffled(plans, seed).slice(0, count));
  return plans.filter((plan) => chosen.has(plan));
}

/** @throws Error when the value is no plan */
export function parsePlan(value: unknown): Plan {
  const { campaign, workload, fault, at, seed } = (value ?? {}) as Partial<Plan>;
  const known = campaignIds.find((id) => id === campaign);
  const isWhole = typeof workload === 'string' && typeof fault === 'string' && Number.isInteger(at);
  if (known === undefined || !isWhole || at === undefined || !Number.isInteger(seed) || seed === undefined) {
    throw new Error('not a plan: it needs campaign, workload, fault, at and seed');
  }
  return { campaign: known, workload, fault, at, seed };
}
