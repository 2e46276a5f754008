import { describe, expect, it } from 'vitest';
import { serviceNames } from '../../cluster/image-list.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { addCustomer, completed, findTrace, placeOrder, query } from '../../manifests/proof.ts';
import { url } from '../support/cluster.ts';

const orders = 100;
const atOnce = 10;

interface Notifications {
  readonly items: readonly { readonly order_id: string }[];
}

describe('the shop', () => {
  it('takes 100 orders through every service, each with one trace and one notification', async () => {
    const placed: { orderId: string; traceId: string }[] = [];
    const customer = await addCustomer(url('api-gateway'));
    const worker = async () => {
      for (let i = 0; i < orders / atOnce; i++) placed.push(await placeOrder(url('api-gateway'), customer));
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    expect(new Set(placed.map(({ orderId }) => orderId)).size).toBe(orders);

    for (const { orderId, traceId } of placed) {
      await completed(url('api-gateway'), customer, orderId);
      // findTrace waits until every service of the shop has sent spans of this one trace.
      const spans = await findTrace(url('jaeger'), traceId);
      expect(spans.map((span) => span.operation)).toContain('POST /orders');
      const { authorization } = customer;
      const notified = await fetch(`${url('api-gateway')}/notifications?order_id=${orderId}`, {
        headers: { authorization },
      });
      expect(((await notified.json()) as Notifications).items.map((item) => item.order_id)).toEqual([orderId]);
    }
  });

  it('has every target up in Prometheus, a pod each', async () => {
    const targets = await waitFor('targets that are all up', async () => {
      const found = await query(url('prometheus'), 'up');
      const jobs = new Set(found.map(({ metric }) => metric.job));
      const named = new Set(found.map(({ metric }) => metric.service));
      const complete = serviceNames.every((name) => named.has(name)) && jobs.has('operator') && jobs.has('jaeger');
      return complete && found.every(({ value }) => value === 1) && found;
    });
    expect(targets.filter(({ metric }) => metric.service === 'order-service')).toHaveLength(2);
  });

  it('counts requests by method, route and status', async () => {
    const series = await waitFor('the counter of POST /orders', async () => {
      const promql = 'sum(http_requests_total{service="order-service",method="POST",endpoint="/orders",status="201"})';
      return (await query(url('prometheus'), promql)).find(({ value }) => value >= orders);
    });
    expect(series.value).toBeGreaterThanOrEqual(orders);
  });

  it('refuses what is wrong with a problem that says what, through the gateway', async () => {
    const { authorization } = await addCustomer(url('api-gateway'));
    const wrong = await fetch(`${url('api-gateway')}/orders`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ product_id: 'one', quantity: 0, user_id: '' }),
    });
    expect(wrong.status).toBe(400);
    expect(wrong.headers.get('content-type')).toContain('application/problem+json');
    expect(await wrong.json()).toMatchObject({ code: 'invalid_request', status: 400 });

    const nobody = await fetch(`${url('api-gateway')}/orders`);
    expect(nobody.status).toBe(401);
    expect(await nobody.json()).toMatchObject({ code: 'unauthenticated' });

    const unknown = await fetch(`${url('api-gateway')}/products/4711`);
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: 'not_found' });
  });
});
