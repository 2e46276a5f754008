import { url } from './cluster.ts';
import { linesOf } from './loki.ts';

/** What is known of one request that failed, from the metric to the span to the lines. */
export interface FailedRequest {
  readonly traceId: string;
  /** The spans that failed, as `service: name`. */
  readonly failed: readonly string[];
  /** The services that wrote lines about it. */
  readonly saidBy: readonly string[];
}

interface Exemplars {
  readonly data: readonly {
    readonly exemplars: readonly { readonly labels: { readonly trace_id?: string }; readonly timestamp: number }[];
  }[];
}

interface Trace {
  readonly data?: readonly {
    readonly spans: readonly {
      readonly operationName: string;
      readonly processID: string;
      readonly tags: readonly { readonly key: string; readonly value: unknown }[];
    }[];
    readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
  }[];
}

/**
 * Goes the way of a person who looks at a graph: from the exemplars of a histogram since that moment (ms since the epoch), the
 * newest first, to a trace in which that span failed (`service: name`), and to the lines with its id. Undefined while there is
 * none.
 */
export async function failedRequest(
  histogram: string,
  since: number,
  span: string,
): Promise<FailedRequest | undefined> {
  for (const traceId of await exemplars(histogram, since)) {
    const failed = await failedSpans(traceId);
    if (!failed.includes(span)) continue;
    const lines = await linesOf(url('loki'), `{namespace="shop"} | trace_id="${traceId}"`);
    return { traceId, failed, saidBy: [...new Set(lines.map(({ labels }) => labels.service ?? ''))].sort() };
  }
  return undefined;
}

async function exemplars(query: string, since: number): Promise<readonly string[]> {
  const parameters = new URLSearchParams({ query, start: String(since / 1000), end: String(Date.now() / 1000) });
  const { data } = await json<Exemplars>(`${url('prometheus')}/api/v1/query_exemplars?${parameters.toString()}`);
  const newestFirst = data.flatMap(({ exemplars: of }) => of).toSorted((a, b) => b.timestamp - a.timestamp);
  return [...new Set(newestFirst.flatMap(({ labels }) => labels.trace_id ?? []))];
}

async function failedSpans(traceId: string): Promise<readonly string[]> {
  const { data = [] } = await json<Trace>(`${url('jaeger')}/api/traces/${traceId}`);
  return data.flatMap(({ spans, processes }) =>
    spans
      .filter(({ tags }) => tags.some(({ key, value }) => key === 'error' && value === true))
      .map(({ operationName, processID }) => `${processes[processID]?.serviceName}: ${operationName}`),
  );
}

async function json<T>(address: string): Promise<T> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(10_000) });
  return (await answer.json()) as T;
}
