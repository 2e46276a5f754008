import type { Row } from '../dashboard.ts';
import { searchTraces, toService } from '../links.ts';
import { lines } from '../panel.ts';
import { highest, orZero, perSecond, within } from '../queries.ts';
import { chosen } from './chosen.ts';

const legend = '{{dependency}}';
const links = [
  toService({ namespace: '${namespace}', service: '${__field.labels.dependency}' }),
  searchTraces('${service}'),
];
const calls = perSecond('outbound_requests_total', 'dependency', chosen);
const bad = perSecond('outbound_requests_total', 'dependency', `outcome!="answered",${chosen}`);

/** The services that this one asks: whose fault is it? */
export const dependencies: Row = {
  title: 'Services that it asks',
  panels: [
    lines({
      title: 'Calls',
      description: 'Calls a second of each dependency, however often each was repeated.',
      unit: 'reqps',
      queries: [{ expr: calls, legend }],
      links,
      width: 8,
    }),
    lines({
      title: 'Calls without an answer',
      description:
        'Share of the calls that failed, were late or were not made: an open breaker, too many under way, no time left.',
      unit: 'percentunit',
      queries: [{ expr: `(${orZero(bad, calls)}) / (${calls} > 0)`, legend }],
      links,
      width: 8,
    }),
    lines({
      title: 'Calls by outcome',
      description: 'What came of the calls of all dependencies.',
      unit: 'reqps',
      queries: [
        {
          expr: perSecond('outbound_requests_total', 'dependency, outcome', chosen),
          legend: '{{dependency}} {{outcome}}',
        },
      ],
      links,
      width: 8,
    }),
    lines({
      title: 'Duration of calls, 95 %',
      description: 'Time within which 95 of 100 calls were over, repetitions included. A dot leads to its trace.',
      unit: 's',
      queries: [
        { expr: within(0.95, 'outbound_request_duration_seconds', 'dependency', chosen), legend, exemplar: true },
      ],
      links,
      width: 8,
    }),
    lines({
      title: 'Repetitions',
      description: 'Calls a second that were made again.',
      unit: 'reqps',
      queries: [{ expr: orZero(perSecond('outbound_retries_total', 'dependency', chosen), calls), legend }],
      links,
      width: 8,
    }),
    lines({
      title: 'Circuit breakers',
      description: '0 closed, 1 half-open, 2 open: then the dependency is not asked.',
      unit: 'none',
      queries: [{ expr: highest('circuit_breaker_state', 'dependency', chosen), legend }],
      links,
      width: 8,
    }),
  ],
};
