import { expect, it } from 'vitest';
import { budgetsIn } from '../../../operator/src/budgets/prometheus.ts';

const sample = (labels: object, value: string) => ({ metric: labels, value: [1_767_225_600, value] });
const answer = (...result: object[]) => JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
const orders = { namespace: 'shop', service: 'orders' };

it('budgets come in whole percents, by Microservice and objective', () => {
  const text = answer(
    sample({ ...orders, slo: 'availability' }, '0.8799'),
    sample({ ...orders, slo: 'latency' }, '1'),
    sample({ namespace: 'shop', service: 'users', slo: 'latency' }, '-0.5'),
  );
  expect([...budgetsIn(text)]).toEqual([
    ['shop/orders', { availability: 87, latency: 100 }],
    ['shop/users', { latency: -50 }],
  ]);
});

it('samples that say nothing are left out, and of two the smaller counts', () => {
  const text = answer(
    sample({ ...orders, slo: 'availability' }, '0.5'),
    sample({ ...orders, slo: 'availability', pod: 'another' }, '0.9'),
    sample({ ...orders, slo: 'latency' }, 'NaN'),
    sample({ ...orders, slo: 'durability' }, '1'),
    sample({ service: 'orders', slo: 'latency' }, '1'),
    { metric: null },
  );
  expect([...budgetsIn(text)]).toEqual([['shop/orders', { availability: 50 }]]);
});

it.each([
  '',
  '<html>',
  '{}',
  'null',
  '{"status":"error"}',
  '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}',
])('an answer of %j is refused as none', (text) => {
  expect(() => budgetsIn(text)).toThrow('Prometheus answers something that is no result of a query');
});
