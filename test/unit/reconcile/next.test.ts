import { describe, expect, it } from 'vitest';
import { after as lookAgain, settled, soonest } from '../../../operator/src/reconcile/next.ts';

describe('soonest', () => {
  it('is the shortest wait of all that are asked for', () => {
    expect(soonest([settled, lookAgain(30, 'b'), lookAgain(20, 'a'), settled])).toEqual(lookAgain(20, 'a'));
  });

  it('is no wait when none is asked for', () => {
    expect(soonest([])).toEqual(settled);
    expect(soonest([settled, settled])).toEqual(settled);
  });
});
