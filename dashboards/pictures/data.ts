/** Values over time of one thing; null where there is none. */
export interface Line {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly (number | null)[];
}

/** From when until when is asked, in Unix seconds, and how often in between. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export interface Sources {
  readonly prometheus: string;
  readonly jaeger: string | undefined;
  readonly loki: string | undefined;
}

/** The moments of a range. */
export const momentsOf = ({ start, end, step }: Range) =>
  Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, at) => start + at * step);

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly [number, string][];
  readonly value?: [number, string];
}

/** What Prometheus gives for an expression over a range, in the order of the labels. */
export async function linesOf(prometheus: string, expr: string, range: Range): Promise<readonly Line[]> {
  const { start, end, step } = range;
  const found = await asked(prometheus, 'query_range', {
    query: expr,
    start: `${start}`,
    end: `${end}`,
    step: `${step}`,
  });
  const moments = momentsOf(range);
  return found.map(({ metric, values = [] }) => {
    const by = new Map(values.map(([at, value]) => [Math.round(at), Number(value)]));
    return { labels: metric, values: moments.map((at) => finite(by.get(Math.round(at)))) };
  });
}

/** What Prometheus gives for an expression at a moment. */
export async function rowsOf(prometheus: string, expr: string, time: number): Promise<readonly Line[]> {
  const found = await asked(prometheus, 'query', { query: expr, time: `${time}` });
  return found.map(({ metric, value }) => ({ labels: metric, values: [finite(Number(value?.[1]))] }));
}

async function asked(
  prometheus: string,
  path: string,
  parameters: Readonly<Record<string, string>>,
): Promise<readonly Series[]> {
  const query = new URLSearchParams(parameters);
  const { data } = await json<{ data: { result: readonly Series[] } }>(
    `${prometheus}/api/v1/${path}?${query.toString()}`,
  );
  const key = ({ metric }: Series) =>
    JSON.stringify(Object.entries(metric).toSorted(([a], [b]) => a.localeCompare(b, 'en')));
  return data.result.toSorted((a, b) => key(a).localeCompare(key(b), 'en'));
}

const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);

/** The latest lines of a log, as rows of a table: time and text. */
export async function logRows(loki: string, expr: string, { start, end }: Range): Promise<readonly string[][]> {
  const query = new URLSearchParams({ query: expr, start: `${start}`, end: `${end}`, limit: '20' });
  const { data } = await json<{ data: { result: readonly { values: readonly [string, string][] }[] } }>(
    `${loki}/loki/api/v1/query_range?${query.toString()}`,
  );
  return data.result
    .flatMap(({ values }) => values)
    .sort(([a], [b]) => b.localeCompare(a, 'en'))
    .map(([at, text]) => [clock(Number(at.slice(0, -9))), text]);
}

interface Trace {
  readonly traceID: string;
  readonly spans: readonly {
    readonly spanID: string;
    readonly operationName: string;
    readonly startTime: number;
    readonly duration: number;
    readonly references: readonly object[];
    readonly processID: string;
  }[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** The latest traces of a service, as rows of a table: time, id, name of the first span, duration, spans. */
export async function traceRows(jaeger: string, service: string): Promise<readonly string[][]> {
  const { data } = await json<{ data: readonly Trace[] }>(`${jaeger}/api/traces?service=${service}&limit=20`);
  const first = ({ spans }: Trace) => [...spans].sort((a, b) => a.startTime - b.startTime)[0];
  return data
    .flatMap((trace) => {
      const root = first(trace);
      return root === undefined ? [] : [{ trace, root }];
    })
    .sort((a, b) => b.root.startTime - a.root.startTime)
    .map(({ trace: { traceID, spans, processes }, root }) => {
      const ends = Math.max(...spans.map(({ startTime, duration }) => startTime + duration));
      const name = `${processes[root.processID]?.serviceName}: ${root.operationName}`;
      const took = `${((ends - root.startTime) / 1000).toFixed(1)} ms`;
      return [clock(root.startTime / 1e6), traceID.slice(0, 12), name, took, String(spans.length)];
    });
}

/** The time of day in UTC. */
export function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
