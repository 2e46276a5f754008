import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines } from '../../../operator/src/controller/deadlines.ts';

const key = fc.constantFrom(...'abcdefghijklmnop'.split(''));
const action = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    key,
    at: fc.nat(100),
  }),
  fc.record({ kind: fc.constant('forget' as const), key }),
  fc.record({ kind: fc.constant('take' as const), now: fc.nat(100) }),
);

test('deadlines come up earliest first, each key at the earliest time that was set for it, forgotten ones never', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100, size: 'max' }), (actions) => {
      const deadlines = new Deadlines();
      const model = new Map<string, number>();
      for (const each of actions) {
        if (each.kind === 'set') {
          deadlines.set(each.key, each.at);
          model.set(each.key, Math.min(each.at, model.get(each.key) ?? Number.POSITIVE_INFINITY));
        } else if (each.kind === 'forget') {
          deadlines.forget(each.key);
          model.delete(each.key);
        } else {
          const due = [...model].filter(([, at]) => at <= each.now);
          const taken = deadlines.takeDue(each.now);
          expect(new Set(taken)).toEqual(new Set(due.map(([key]) => key)));
          const times = taken.map((key) => model.get(key) ?? -1);
          expect(times).toEqual([...times].sort((a, b) => a - b));
          for (const key of taken) model.delete(key);
        }
        expect(deadlines.size).toBe(model.size);
        expect(deadlines.earliest).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
      }
    }),
  );
});
