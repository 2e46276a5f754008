import { describe, expect, it } from 'vitest';
import { openMetrics } from '../../../operator/src/support/metrics.ts';
import {
  isCall,
  isRead,
  isWrite,
  metricIn,
  type RequestCount,
  requestsIn,
  requestsSince,
  total,
} from '../../bench/requests.ts';

const request = (verb: RequestCount['verb'], kind: string, count: number, code = '200'): RequestCount => ({
  verb,
  kind,
  code,
  count,
});

describe('the requests of an operator', () => {
  it('are read from the metrics that it shows', async () => {
    const { registry, apiRequests } = openMetrics();
    apiRequests.inc({ verb: 'create', kind: 'Deployment', code: '201' }, 200);
    apiRequests.inc({ verb: 'list', kind: 'Pod', code: 'none' });
    const text = await registry.metrics();

    expect(requestsIn(text)).toEqual([request('create', 'Deployment', 200, '201'), request('list', 'Pod', 1, 'none')]);
    expect(metricIn(text, 'process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(() => metricIn(text, 'process_cpu')).toThrow('no metric process_cpu');
  });

  it('since a reading are those that came later, and no others', () => {
    const before = [request('list', 'Pod', 1), request('patch', 'Microservice', 3)];
    const now = [request('list', 'Pod', 1), request('patch', 'Microservice', 5), request('create', 'Event', 2)];

    expect(requestsSince(before, now)).toEqual([request('patch', 'Microservice', 2), request('create', 'Event', 2)]);
  });

  it('are reads, writes, or watches, which are neither', () => {
    const all = (['get', 'list', 'watch', 'create', 'apply', 'patch', 'delete'] as const).map((verb, i) =>
      request(verb, 'Pod', 10 ** i),
    );

    expect(total(all, isRead)).toBe(11);
    expect(total(all, isWrite)).toBe(1_111_000);
    expect(total(all, isCall)).toBe(1_111_011);
  });
});
