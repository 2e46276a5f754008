import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desiredHashAnnotation } from '../../../operator/src/api/labels.ts';
import { canonicalJson, hashOf, withHash } from '../../../operator/src/desired/hash.ts';

describe('hashOf', () => {
  it('does not depend on the order of keys', () => {
    expect(hashOf({ a: 1, b: { c: 2, d: 3 } })).toBe(hashOf({ b: { d: 3, c: 2 }, a: 1 }));
  });

  it('depends on the order of lists, and on every value', () => {
    expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]));
    expect(hashOf({ a: '1' })).not.toBe(hashOf({ a: 1 }));
  });

  it('reads back as what was written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('withHash', () => {
  it('marks two manifests differently when one of them no longer asks for something', () => {
    const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'n' } } as const;
    const markOf = (it: Parameters<typeof withHash>[0]) => withHash(it).metadata.annotations?.[desiredHashAnnotation];
    expect(markOf({ ...manifest, data: { a: '1', b: '2' } })).not.toBe(markOf({ ...manifest, data: { a: '1' } }));
  });
});
