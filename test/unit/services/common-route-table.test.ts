import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patternOf } from '../../../services/common/src/serving/route-table.ts';

describe('a route template', () => {
  it.each([
    ['/things', '/things', true],
    ['/things', '/things/', false],
    ['/things/:id', '/things/7', true],
    ['/things/:id', '/things/', false],
    ['/things/:id', '/things/7/parts', false],
    ['/things/:id/parts', '/things/7/parts', true],
    ['/things/*', '/things/a/b', true],
    ['/things/*', '/other/a', false],
    ['/a.b', '/aXb', false],
  ])('%s and the path %s match: %s', (template, path, matches) => {
    expect(patternOf(template).test(path)).toBe(matches);
  });

  it('without parameters matches itself and nothing else', () => {
    const path = fc.string().map((it) => `/${it.replace(/[:*]/g, '')}`);
    fc.assert(fc.property(path, path, (template, other) => patternOf(template).test(other) === (template === other)));
  });
});
