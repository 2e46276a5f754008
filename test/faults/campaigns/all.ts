import type { Campaign } from '../campaign.ts';
import { crashes } from './c1.ts';
import { unobserved } from './c3.ts';
import { watchesBroken } from './c4.ts';
import { answers } from './c5.ts';
import { drift } from './c8.ts';
import { clashes } from './c9.ts';
import { deletions } from './c10.ts';

/** In the order in which they run. */
export const campaigns: readonly Campaign[] = [crashes, watchesBroken, unobserved, answers, drift, clashes, deletions];
