import type { Microservice } from './microservice.generated.ts';

/** What a Microservice promises: which share of its requests is good, and what a good one is. */
export interface Objective {
  readonly name: 'availability' | 'latency';
  /** The share of good requests, for example 0.999. */
  readonly ratio: number;
  /** Of latency: the time within which a request is good, as it was written. */
  readonly within?: string;
  /** The same in seconds, as the label `le` of a bucket has it. */
  readonly le?: string;
}

/** The objectives of a Microservice; none where it states none. */
export function objectivesOf({ spec }: Microservice): readonly Objective[] {
  const { availability, latency = {} } = spec.observability?.slo ?? {};
  return [
    ...(availability === undefined ? [] : [{ name: 'availability', ratio: ratioOf(availability) } as const]),
    ...Object.entries(latency).map(
      ([percentile, within]) =>
        ({ name: 'latency', ratio: ratioOf(percentile.slice(1)), within, le: String(secondsOf(within)) }) as const,
    ),
  ];
}

/** 99.9 percent as 0.999, without what binary fractions add. */
function ratioOf(percent: number | string): number {
  return Number((Number(percent) / 100).toFixed(6));
}

function secondsOf(time: string): number {
  const number = Number.parseFloat(time);
  return time.endsWith('ms') ? Number((number / 1000).toFixed(6)) : number;
}

/** What is left of the error budget of each objective, in whole percents: see `percentLeft`. */
export type BudgetsLeft = Readonly<Partial<Record<Objective['name'], number>>>;

/** What is known of the error budgets of one Microservice. */
export type Budgets =
  /** Nobody has answered yet; what was known before stands. */
  | { readonly kind: 'unasked' }
  | { readonly kind: 'unknown'; readonly because: string }
  /** An objective without a figure is one of which no requests were counted. */
  | { readonly kind: 'known'; readonly left: BudgetsLeft };

/** Overdrawn further than this is not told apart. */
const leastPercent = -999;

/** A ratio of an error budget as whole percents, rounded down, so that 100 is an untouched budget and 0 one that is used up. */
export function percentLeft(ratio: number): number {
  // What binary fractions take away is no error.
  return Math.max(leastPercent, Math.floor(ratio * 100 + 1e-6));
}
