import type { CampaignId, Plan, Result } from './plan.ts';
import type { References } from './reference.ts';
import type { World } from './world.ts';

/** How large a measure may be, over all plans of a campaign. */
export interface Bound {
  readonly measure: string;
  readonly of: 'p99' | 'max' | 'sum';
  readonly atMost: number;
}

export interface Scene {
  readonly world: World;
  readonly references: References;
  /** The workloads, by name, that faults strike. */
  readonly workloads: readonly string[];
  readonly seed: number;
}

/** A kind of fault, tried in every way that there is. */
export interface Campaign {
  readonly id: CampaignId;
  readonly title: string;
  readonly bounds: readonly Bound[];
  /** Faults that take their time, by name: left out where there is little of it. */
  readonly slow: readonly string[];
  /** Every plan there is. */
  plans(scene: Scene): Promise<readonly Plan[]>;
  /** Tries plans, and tells of each what became of it. */
  run(scene: Scene, plans: readonly Plan[], tell: (result: Result) => void): Promise<void>;
}
