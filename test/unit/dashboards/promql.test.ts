import { describe, expect, it } from 'vitest';
import { knownLabels } from '../../../dashboards/contract/series.ts';
import { readPromql } from '../../../dashboards/promql.ts';

const read = (text: string) => readPromql(text, knownLabels);
const labels = (text: string) => [...read(text).labels].sort();
const requests = 'http_requests_total{job="microservices"}';

describe('an expression in PromQL', () => {
  it.each([
    ['is not closed', 'rate(up[5m', /no PromQL/],
    ['names a metric that nobody has', 'rate(http_request_total[5m])', /nobody has http_request_total/],
    [
      'asks another job for it',
      'http_requests_total{job="operator"}',
      /nobody has http_requests_total in the job operator/,
    ],
    [
      'matches a label that the metric has not',
      'http_requests_total{route="/"}',
      /http_requests_total has no label route/,
    ],
    ['groups by a label that is not there', `sum by (route) (${requests})`, /has no label route/],
    ['groups by a label that was dropped', `sum by (status) (sum by (method) (${requests}))`, /has no label status/],
    ['takes a quantile of no buckets', `histogram_quantile(0.9, sum(rate(${requests}[5m])))`, /has no label le/],
    ['copies a label that is not there', 'label_replace(up, "a", "$1", "route", "(.+)")', /has no label route/],
    ['joins on a label that one side lacks', `up / on (method) ${requests}`, /the left side has no label method/],
    [
      'matches a label of the target by its own name',
      'microservice_platform_microservice_ready{exported_service="a"}',
      /no label exported_service/,
    ],
  ])('is told of when it %s', (_, text, fault) => {
    expect(read(text).faults.join('\n')).toMatch(fault);
  });

  it.each([
    ['an aggregation by labels', `sum by (method) (${requests})`, ['method']],
    ['an aggregation of all', `sum(${requests})`, []],
    ['an aggregation without labels', 'sum without (pod, instance, job) (up)', ['namespace', 'service']],
    [
      'a quantile',
      'histogram_quantile(0.9, sum by (le, pod) (rate(http_request_duration_seconds_bucket[5m])))',
      ['pod'],
    ],
    ['a copy of a label', 'sum by (a) (label_replace(up, "a", "$1", "pod", "(.+)"))', ['a']],
    ['a share', `sum by (pod) (${requests}) / (sum by (pod) (${requests}) > 0)`, ['pod']],
    ['a choice', `sum by (pod) (${requests}) or (vector(0) unless on () ${requests})`, ['pod']],
    ['the highest', 'topk(3, sum by (pod) (up))', ['pod']],
    [
      'a join that takes a label along',
      'sum by (pod) (up) * on (pod) group_left (service) sum by (pod, service) (up)',
      ['pod', 'service'],
    ],
    ['a recording rule', 'slo:objective:ratio{slo="latency"}', ['namespace', 'service', 'slo']],
    ['a number on the left', '1 - sum by (pod) (up)', ['pod']],
    ['a subquery', 'max_over_time(sum by (pod) (up)[1h:1m])', ['pod']],
    ['an offset', 'sum by (pod) (up offset 5m)', ['pod']],
  ])('keeps the labels of %s', (_, text, kept) => {
    expect(read(text).faults).toEqual([]);
    expect(labels(text)).toEqual(kept);
  });

  it('says how far back it looks', () => {
    expect(read('max_over_time(rate(up[73s])[1h:1m])').ranges).toEqual(['1h', '73s']);
  });

  it('keeps a label of a metric apart from that of its target', () => {
    const text = 'sum by (exported_namespace, name) (microservice_platform_microservice_ready{job="operator"})';
    expect(read(text).faults).toEqual([]);
  });
});
