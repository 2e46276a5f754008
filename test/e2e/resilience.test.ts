import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { addCustomer, type Customer, completed } from '../../manifests/proof.ts';
import { cli, conditionOf, list, type MicroserviceObject, url } from '../support/cluster.ts';

const victims: readonly [namespace: string, selector: string][] = [
  ['shop', 'app.kubernetes.io/name=rabbitmq'],
  ['shop', 'app.kubernetes.io/name=postgresql'],
  ['microservice-platform', 'app.kubernetes.io/name=operator'],
  ['shop', 'microservice-platform.io/microservice=order-service'],
];

/** Places orders one after the other until told to stop; keeps what was answered. */
function shopping(customer: Customer) {
  const accepted: string[] = [];
  const answers = new Map<string, number>();
  let open = true;
  const done = (async () => {
    while (open) {
      const outcome = await order(customer);
      answers.set(outcome.answer, (answers.get(outcome.answer) ?? 0) + 1);
      if (outcome.id !== undefined) accepted.push(outcome.id);
      await sleep(20);
    }
  })();
  return {
    accepted,
    answers,
    stop: () => {
      open = false;
      return done;
    },
  };
}

async function order({ id: user_id, authorization }: Customer): Promise<{ answer: string; id?: string }> {
  try {
    const response = await fetch(`${url('api-gateway')}/orders`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', 'idempotency-key': `"${crypto.randomUUID()}"` },
      body: JSON.stringify({ product_id: 2, quantity: 1, user_id }),
      signal: AbortSignal.timeout(15_000),
    });
    const body = (await response.json()) as { id?: string };
    return response.status === 201 && body.id !== undefined
      ? { answer: '201', id: body.id }
      : { answer: String(response.status) };
  } catch {
    return { answer: 'no answer' };
  }
}

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
}

async function killPods(namespace: string, selector: string): Promise<void> {
  const pods = await list<Pod>('pods', namespace, '-l', selector);
  expect(pods.length, `pods with ${selector}`).toBeGreaterThan(0);
  // Without a grace period the kubelet kills the processes at once.
  await cli.run(['delete', 'pod', '-n', namespace, '-l', selector, '--grace-period=0', '--force']);
  const old = new Set(pods.map((pod) => pod.metadata.uid));
  await waitFor(`new pods with ${selector}`, async () => {
    const now = await list<Pod>('pods', namespace, '-l', selector);
    return now.length >= pods.length && now.every((pod) => !old.has(pod.metadata.uid));
  });
  await cli.run(['wait', 'pod', '-n', namespace, '-l', selector, '--for=condition=Ready', '--timeout=120s'], 130_000);
}

describe('an order that was answered 201', () => {
  it('is kept, completed and notified once, while broker, database, operator and order-service are killed one after the other', async () => {
    const customer = await addCustomer(url('api-gateway'));
    const headers = { authorization: customer.authorization };
    const shopper = shopping(customer);
    for (const [namespace, selector] of victims) {
      await killPods(namespace, selector);
      await sleep(1000);
    }
    await shopper.stop();
    console.log(`answers: ${[...shopper.answers].map(([answer, count]) => `${count} x ${answer}`).join(', ')}`);
    expect(shopper.accepted.length).toBeGreaterThan(100);

    await waitFor('every Microservice to be Ready again', async () => {
      const all = await list<MicroserviceObject>('microservices', 'shop');
      return all.every((each) => conditionOf(each, 'Ready')?.status === 'True');
    });
    // The breaker of the gateway may stay open for two seconds more.
    await waitFor('orders to be answered again', async () => {
      const answer = await fetch(`${url('api-gateway')}/orders?limit=1`, { headers });
      await answer.arrayBuffer();
      return answer.status === 200;
    });
    const wrong: string[] = [];
    for (const id of shopper.accepted) {
      const kept = await fetch(`${url('api-gateway')}/orders/${id}`, { headers });
      if (kept.status !== 200) wrong.push(`${id}: GET answered ${kept.status}`);
      await kept.arrayBuffer();
      const notified = await waitFor(`the notification of ${id}`, () => notifications(id, headers), {
        timeoutMs: 30_000,
      });
      if (notified !== 1) wrong.push(`${id}: ${notified} notifications`);
      await completed(url('api-gateway'), customer, id);
    }
    expect(wrong).toEqual([]);
  });
});

async function notifications(order: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  const response = await fetch(`${url('api-gateway')}/notifications?order_id=${order}`, { headers });
  const { items } = (await response.json()) as { items?: unknown[] };
  return items !== undefined && items.length > 0 ? items.length : undefined;
}
