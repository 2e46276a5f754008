import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { serviceNames } from '../../cluster/image-list.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { platformNamespace } from '../../manifests/install.ts';
import { addCustomer, type Customer, placeOrder } from '../../manifests/proof.ts';
import { cli, list, url } from '../support/cluster.ts';

const orders = 1_000;
/** At a time: enough that services are busy, and spans of many orders share a batch. */
const lanes = 8;

interface Span {
  readonly id: string;
  readonly parent: string | undefined;
  readonly service: string;
  readonly name: string;
}

interface JaegerAnswer {
  readonly data?: readonly {
    readonly spans: readonly {
      readonly spanID: string;
      readonly operationName: string;
      readonly processID: string;
      readonly references: readonly { readonly refType: string; readonly spanID: string }[];
    }[];
    readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
  }[];
}

async function spansOf(traceId: string): Promise<readonly Span[]> {
  const answer = await fetch(`${url('jaeger')}/api/traces/${traceId}`, { signal: AbortSignal.timeout(10_000) });
  const { data = [] } = (await answer.json()) as JaegerAnswer;
  return data.flatMap(({ spans, processes }) =>
    spans.map(({ spanID, operationName, processID, references }) => ({
      id: spanID,
      parent: references.find(({ refType }) => refType === 'CHILD_OF')?.spanID,
      service: processes[processID]?.serviceName ?? '',
      name: operationName,
    })),
  );
}

/** What an order goes through, from one service to the next. */
const way = [
  'api-gateway > order-service',
  'order-service > user-service',
  'order-service > product-service',
  'order-service > inventory-service',
  'order-service > payment-service',
  'order-service > notification-service',
  'order-service > analytics-service',
] as const;

/** What is missing of the whole trace of an order; empty when nothing is. */
function gaps(spans: readonly Span[]): readonly string[] {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const found = new Set(
    spans.flatMap(({ parent, service }) => {
      const above = byId.get(parent ?? '');
      return above === undefined ? [] : [`${above.service} > ${service}`];
    }),
  );
  const outside = spans.filter(({ parent }) => !byId.has(parent ?? ''));
  return [
    ...serviceNames
      .filter((name) => !spans.some(({ service }) => service === name))
      .map((name) => `no span of ${name}`),
    ...way.filter((step) => !found.has(step)).map((step) => `no span from ${step}`),
    // Only the first one has its parent outside: that is the caller, which is this test.
    ...outside.slice(1).map(({ service, name }) => `${service}: ${name} hangs on nothing`),
  ];
}

/** Places that many orders, some at a time; a request that fails is an error here. */
async function placeAll(count: number, customer: Customer): Promise<readonly string[]> {
  const traceIds: string[] = [];
  let next = 0;
  const lane = async () => {
    while (next++ < count) traceIds.push((await placeOrder(url('api-gateway'), customer)).traceId);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return traceIds;
}

/** Waits until each of the traces is whole; says of the first one that is not what it lacks. */
async function whole(traceIds: readonly string[]): Promise<number> {
  let left = [...traceIds];
  let spans = 0;
  await waitFor(
    `${traceIds.length} whole traces`,
    async () => {
      while (left.length > 0) {
        const found = await Promise.all(left.slice(0, lanes).map((id) => spansOf(id)));
        const incomplete = found.findIndex((it) => gaps(it).length > 0);
        if (incomplete >= 0)
          throw new Error(`${left.length} left; ${left[incomplete]}: ${gaps(found[incomplete] ?? []).join(', ')}`);
        spans += found.flat().length;
        left = left.slice(lanes);
      }
      return true;
    },
    { timeoutMs: 180_000, everyMs: 1_000 },
  );
  return spans;
}

interface Pod {
  readonly metadata: { readonly name: string };
}

/** What became of the spans of all services, by outcome. */
async function spanCounts(): Promise<Readonly<Record<'sent' | 'failed' | 'dropped', number>>> {
  const pods = await list<Pod>('pods', 'shop', '-l', 'microservice-platform.io/microservice');
  const pages = await Promise.all(
    pods.map(({ metadata: { name } }) => cli.get(['--raw', `/api/v1/namespaces/shop/pods/${name}:8080/proxy/metrics`])),
  );
  const sum = (outcome: string) =>
    pages.reduce((total, page) => {
      const sample = new RegExp(`^telemetry_spans_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(page);
      return total + Number(sample?.[1] ?? 0);
    }, 0);
  return { sent: sum('sent'), failed: sum('failed'), dropped: sum('dropped') };
}

const scaleJaeger = async (replicas: number) => {
  await cli.run(['scale', 'deployment/jaeger', '-n', platformNamespace, `--replicas=${replicas}`]);
  await cli.run(['rollout', 'status', 'deployment/jaeger', '-n', platformNamespace, '--timeout=120s'], 130_000);
};

let customer: Customer;
beforeAll(async () => {
  customer = await addCustomer(url('api-gateway'));
});

describe('orders under load', () => {
  it(`are ${orders} whole traces: each through all services, and no span that hangs on nothing`, async () => {
    const started = performance.now();
    const traceIds = await placeAll(orders, customer);
    const seconds = (performance.now() - started) / 1000;
    const spans = await whole(traceIds);
    console.log(`${orders} orders in ${seconds.toFixed(0)} s; ${traceIds.length} whole traces, ${spans} spans`);
  }, 600_000);

  it('do not fail while the collector is gone, the lost spans are counted, and traces are whole again after it', async () => {
    const before = await spanCounts();
    let away = false;
    const outage = async () => {
      away = true;
      await scaleJaeger(0);
      await sleep(5_000);
      await scaleJaeger(1);
      away = false;
    };
    const ended = outage();
    let during = 0;
    while (away) during += (await placeAll(50, customer)).length;
    await ended;
    console.log(`${during} orders while there was no collector, none failed`);
    expect(during).toBeGreaterThan(50);

    const lost = await waitFor('the lost spans to be counted', async () => {
      const now = await spanCounts();
      const failed = now.failed - before.failed;
      return failed > 0 && { failed, dropped: now.dropped - before.dropped };
    });
    console.log(`spans lost: ${JSON.stringify(lost)}`);
    // What was sent just before the collector went may wait for its turn to be tried again.
    await waitFor(
      'a whole trace',
      async () => {
        const [traceId = ''] = await placeAll(1, customer);
        await sleep(3_000); // an order is answered before it is done
        return gaps(await spansOf(traceId)).length === 0;
      },
      { timeoutMs: 60_000 },
    );
    await whole(await placeAll(100, customer));
  }, 300_000);
});
