import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replacing } from '../../../operator/src/cluster/merge-patch.ts';

/** What an API server does with a merge patch (RFC 7396). */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isObject ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

test('a status replaces the one before, whatever either holds', () => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer()));
  const { status } = fc.letrec((tie) => ({
    status: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof({ maxDepth: 3 }, leaf, tie('status')), {
      noNullPrototype: true,
    }),
  }));
  fc.assert(
    fc.property(fc.option(status, { nil: undefined }), status, (before, after) => {
      expect(merged(before, replacing(before, after))).toEqual(after);
    }),
  );
});
