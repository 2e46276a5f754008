import { expect, it } from 'vitest';
import { type Report, textOf } from '../../bench/report.ts';

const report: Report = {
  title: 'The operator',
  machine: '2 cores',
  others: 5,
  warmUp: 'some',
  figures: [
    { what: 'a rate', unit: 'resources/s', median: 45.67, worst: 1234.5, times: 3, peer: '12.4' },
    {
      what: 'a time',
      unit: 'ms',
      median: 7,
      worst: 9.876,
      times: 15,
      bare: { ratio: 2.4, of: 'times the bare write' },
    },
  ],
  tables: [
    { title: 'Requests for each', requests: [{ verb: 'list', kind: 'Pod', code: '200', count: 3 }], by: 2 },
    { title: 'Requests at rest', requests: [], by: 1 },
  ],
  budgets: [
    { what: 'requests', limit: 12, found: 8 },
    { what: 'writes', limit: 0, found: 1 },
  ],
  seconds: 99.6,
};

it('a report is a table for people', () => {
  expect(textOf(report)).toBe(`The operator
2 cores
Others used 5 % of the machine meanwhile
Warm-up, not counted: some

                     median  worst  times  against the bare API server  peer
a rate  resources/s    45.7  1,235      3                               12.4
a time  ms                7   9.88     15  2.40 times the bare write

peer: Runtime Component Operator (Go), measured elsewhere on 2 cores, not in this run

Requests for each
verb  kind  answer  requests
list  Pod      200      1.50

Requests at rest
none

kept    requests: 8 of at most 12
BROKEN  writes: 1 of at most 0

100 s in all`);
});

it('a report says when others kept the machine busy', () => {
  expect(textOf({ ...report, others: 6 })).toContain('6 % of the machine meanwhile: TOO MUCH');
});
