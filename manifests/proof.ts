import { randomBytes, randomUUID } from 'node:crypto';
import { serviceNames } from '../cluster/image-list.ts';
import { waitFor } from '../cluster/wait-for.ts';

/** Lines for a person: an order that went through, its trace, and the counters of the services that it passed. */
export async function prove(urls: ReadonlyMap<string, string>): Promise<string[]> {
  const url = (name: string) => urls.get(name) ?? '';
  const { orderId, traceId, spans } = await tracedOrder(url('api-gateway'), url('jaeger'));
  const counters = await findCounters(url('prometheus'));
  return [
    `order ${orderId} was answered 201 by ${url('api-gateway')}/orders; it is reserved, paid and completed`,
    `trace ${traceId}: ${spans.length} spans of ${[...new Set(spans.map((span) => span.service))].join(', ')}`,
    ...spans.map((span) => `    ${span.service}: ${span.operation}`),
    `its address: ${url('jaeger')}/api/traces/${traceId}`,
    ...counters.map(({ service, requests }) => `${service}: http_requests_total ${requests}`),
  ];
}

/**
 * Places orders until one went through every service, as its trace in Jaeger says.
 *
 * A node may take a moment to send requests to pods that have just become Ready, and an order may be taken at the last
 * known price while product-service comes back: such an order is completed, and its trace never has all services.
 */
export async function tracedOrder(
  gateway: string,
  jaeger: string,
): Promise<{ orderId: string; traceId: string; spans: readonly Span[] }> {
  return waitFor(
    `an order through ${gateway} with a trace in ${jaeger}`,
    async () => {
      const customer = await addCustomer(gateway);
      const order = await placeOrder(gateway, customer);
      await completed(gateway, customer, order.orderId);
      return { ...order, spans: await findTrace(jaeger, order.traceId, 30_000) };
    },
    { timeoutMs: 90_000, everyMs: 1000 },
  );
}

/** A user of the shop, and the header by which the gateway knows who asks. */
export interface Customer {
  readonly id: string;
  readonly authorization: string;
}

/** Makes a user that orders can be for, and signs in. */
export async function addCustomer(gateway: string): Promise<Customer> {
  const email = `ada-${randomBytes(6).toString('hex')}@example.com`;
  const password = randomUUID();
  const { id } = await post<{ id: string }>(`${gateway}/users`, { name: 'Ada', email, password });
  const { access_token } = await post<{ access_token: string }>(`${gateway}/tokens`, { email, password });
  return { id, authorization: `Bearer ${access_token}` };
}

/** Places an order under a trace id of our own choosing. */
export async function placeOrder(
  gateway: string,
  { id: user_id, authorization }: Customer,
): Promise<{ orderId: string; traceId: string }> {
  const traceId = randomBytes(16).toString('hex');
  const { id } = await post<{ id: string }>(
    `${gateway}/orders`,
    { product_id: 1, quantity: 2, user_id },
    {
      authorization,
      'idempotency-key': `"${randomUUID()}"`,
      traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
    },
  );
  return { orderId: id, traceId };
}

async function post<T>(url: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${answer}`);
  return JSON.parse(answer) as T;
}

/** Waits until an order was taken through all its steps. */
export async function completed(gateway: string, { authorization }: Customer, orderId: string): Promise<void> {
  const url = `${gateway}/orders/${orderId}`;
  await waitFor(
    `${url} to be completed`,
    async () => {
      const { status, reason } = await json<{ status: string; reason: string | null }>(url, { authorization });
      if (status === 'completed') return true;
      throw new Error(`${status}${reason === null ? '' : `: ${reason}`}`);
    },
    { timeoutMs: 60_000 },
  );
}

export interface Span {
  readonly service: string;
  readonly operation: string;
}

interface JaegerAnswer {
  readonly data?: readonly {
    readonly spans: readonly {
      readonly operationName: string;
      readonly processID: string;
      readonly startTime: number;
    }[];
    readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
  }[];
}

/** The spans of a trace in Jaeger, once every service that an order passes has sent its own. */
export async function findTrace(jaeger: string, traceId: string, timeoutMs = 60_000): Promise<Span[]> {
  return waitFor(
    `the trace ${traceId} in Jaeger with spans of every service`,
    async () => {
      const spans = await spansOf(jaeger, traceId);
      const services = new Set(spans.map((span) => span.service));
      const missing = serviceNames.filter((service) => !services.has(service));
      if (missing.length > 0) throw new Error(`${spans.length} spans, none of ${missing.join(', ')}`);
      return spans;
    },
    { timeoutMs, everyMs: 500 },
  );
}

async function spansOf(jaeger: string, traceId: string): Promise<Span[]> {
  const { data = [] } = await json<JaegerAnswer>(`${jaeger}/api/traces/${traceId}`);
  return data.flatMap(({ spans, processes }) =>
    [...spans]
      .sort((a, b) => a.startTime - b.startTime)
      .map((span) => ({
        service: processes[span.processID]?.serviceName ?? '',
        operation: span.operationName,
      })),
  );
}

interface PrometheusAnswer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: [number, string];
    }[];
  };
}

/** Asks Prometheus. Gives each series with its value. */
export async function query(prometheus: string, promql: string) {
  const answer = await json<PrometheusAnswer>(`${prometheus}/api/v1/query?query=${encodeURIComponent(promql)}`);
  return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

async function findCounters(prometheus: string): Promise<{ service: string; requests: number }[]> {
  return waitFor(
    `the request counters of ${serviceNames.join(', ')} in Prometheus`,
    async () => {
      const series = await query(prometheus, 'sum by (service) (http_requests_total)');
      const counters = series.map(({ metric, value }) => ({
        service: metric.service ?? '',
        requests: value,
      }));
      return serviceNames.every((service) => counters.some((counter) => counter.service === service)) && counters;
    },
    { timeoutMs: 60_000, everyMs: 1000 },
  );
}

async function json<T>(url: string, headers: Readonly<Record<string, string>> = {}): Promise<T> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as T;
}
