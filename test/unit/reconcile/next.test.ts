import { describe, expect, it } from 'vitest';
import { after as lookAgain, nextAfter, settled, soonest } from '../../../operator/src/reconcile/next.ts';

describe('soonest', () => {
  it('is the shortest wait of all that are asked for', () => {
    expect(soonest([settled, lookAgain(30, 'b'), lookAgain(20, 'a'), settled])).toEqual(lookAgain(20, 'a'));
  });

  it('is no wait when none is asked for', () => {
    expect(soonest([])).toEqual(settled);
    expect(soonest([settled, settled])).toEqual(settled);
  });
});

describe('what was not done', () => {
  it.each(['waiting', 'refused', 'failed'] as const)(
    'and is %s is looked at again within a minute: no change would tell',
    (kind) => {
      const next = nextAfter({ kind } as Parameters<typeof nextAfter>[0]);
      expect(next).toMatchObject({ kind: 'after' });
      expect(next.kind === 'after' && next.ms).toBeLessThanOrEqual(60_000);
    },
  );

  it.each(['created', 'configured', 'handed-over', 'removed'] as const)('is nothing after %s', (kind) => {
    expect(nextAfter({ kind } as Parameters<typeof nextAfter>[0])).toEqual(settled);
  });
});
