import { describe, expect, it } from 'vitest';
import { fullSpecs } from '../../support/full-specs.ts';
import { leafPaths, leavesIn } from '../../support/leaves.ts';
import { microserviceSchema } from '../../support/microservice.ts';

describe('the full specs', () => {
  it('set every field of the schema, so that each is walked over against an API server', () => {
    const schema = microserviceSchema().properties?.spec ?? {};
    const set = new Set(Object.values(fullSpecs).flatMap((spec) => leavesIn(spec, schema).map(({ path }) => path)));
    expect(leafPaths(schema).filter((path) => !set.has(path))).toEqual([]);
  });
});
