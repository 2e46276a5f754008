import { expect, it } from 'vitest';
import { objectivesOf, percentLeft } from '../../../operator/src/api/objectives.ts';
import { microservice } from '../../support/microservice.ts';

const objectives = (slo: object) => objectivesOf(microservice({ spec: { observability: { slo } } }));

it.each([
  ['99.9', 0.999],
  ['99.90', 0.999],
  [99, 0.99],
  ['99.9999', 0.999999],
  ['50.5', 0.505],
])('an availability of %s percent is a ratio of %s', (availability, ratio) => {
  expect(objectives({ availability })).toEqual([{ name: 'availability', ratio }]);
});

it.each([
  ['p50', '5ms', 0.5, '0.005'],
  ['p95', '250ms', 0.95, '0.25'],
  ['p99', '1s', 0.99, '1'],
  ['p90', '2.5s', 0.9, '2.5'],
  ['p90', '2500ms', 0.9, '2.5'],
  ['p90', '1000ms', 0.9, '1'],
])('a latency of %s within %s is a ratio of %s in the bucket %s', (percentile, within, ratio, le) => {
  expect(objectives({ latency: { [percentile]: within } })).toEqual([{ name: 'latency', ratio, within, le }]);
});

it('a Microservice without objectives promises nothing', () => {
  expect(objectivesOf(microservice())).toEqual([]);
  expect(objectivesOf(microservice({ spec: { observability: { tracing: {} } } }))).toEqual([]);
});

it.each([
  [1, 100],
  [0.9999, 99],
  [0.57, 57],
  [0, 0],
  [-0.001, -1],
  [-998, -999],
])('a ratio of %s is a budget of %s percent', (ratio, percent) => {
  expect(percentLeft(ratio)).toBe(percent);
});
