import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../cluster/wait-for.ts';
import { emitters, lineKeys } from '../../dashboards/contract/platform.ts';
import { labelsOf, seriesOf } from '../../dashboards/contract/series.ts';
import type { Emitter, Line, Metric } from '../../dashboards/contract/signal.ts';
import { attributeFaults, isNamed, type SeenSpan } from '../../dashboards/contract/span-match.ts';
import { addCustomer, completed, placeOrder } from '../../manifests/proof.ts';
import { shopToken } from '../../manifests/token.ts';
import { cli, cluster, url } from '../support/cluster.ts';
import { endLoad, startLoad } from '../support/load.ts';

const orders = 5;
const platformNamespace = 'microservice-platform';
const patience = { timeoutMs: 120_000, everyMs: 2_000 };
/** The operator sends no spans unless it is told to; what it would send is held to the contract where it does. */
const tracing = emitters.filter(({ job, name }) => job === 'microservices' && name !== 'loadgen');

beforeAll(async () => {
  await startLoad(3);
  const gateway = url('api-gateway');
  const customer = await waitFor('a customer of the shop', () => addCustomer(gateway), patience);
  for (let count = 0; count < orders; count += 1) {
    const { orderId } = await waitFor('an order', () => placeOrder(gateway, customer), patience);
    await completed(gateway, customer, orderId);
  }
  // What the load generator does not ask for: by gRPC, by the one who runs the shop, and for what is not there.
  const authorization = `Bearer ${await shopToken(cluster.kubeconfig, { scopes: 'shop:manage' })}`;
  for (const path of ['/products/1/details', '/payments', '/no/such/path']) {
    const answer = await fetch(`${gateway}${path}`, {
      headers: { authorization },
      signal: AbortSignal.timeout(15_000),
    });
    await answer.arrayBuffer();
  }
});
afterAll(endLoad);

describe.each(emitters.map((emitter) => [emitter.name, emitter] as const))('metrics of %s', (_, emitter) => {
  it('are all there, of the type and with the labels that the contract says, and no others', async () => {
    const last = await waitFor(
      `the metrics of ${emitter.name}`,
      async () => {
        const faults = [...missing(emitter, await metadataOf(emitter)), ...(await labelFaults(emitter))];
        if (faults.length > 0) throw new Error(faults.join('\n'));
        return [...(await metadataOf(emitter)).keys()];
      },
      patience,
    );
    expect(last.filter((family) => !emitter.metrics.some(({ name }) => familyOf(name) === family))).toEqual([]);
  });
});

describe.each(tracing.map((emitter) => [emitter.name, emitter] as const))('spans of %s', (_, emitter) => {
  it('are all there, with the attributes that the contract says, and no others', async () => {
    await waitFor(
      `the spans of ${emitter.name}`,
      async () => {
        const seen = (await tracesOf(emitter.name)).flatMap(({ spans }) =>
          spans.filter((it) => it.service === emitter.name),
        );
        const missing = emitter.spans.filter(
          (declared) => declared.after === undefined && !seen.some((span) => isNamed(declared, span)),
        );
        if (missing.length > 0)
          throw new Error(`missing: ${missing.map(({ name, kind }) => `${kind} ${name}`).join(', ')}`);
        return true;
      },
      patience,
    );
    const seen = (await tracesOf(emitter.name)).flatMap(({ spans }) =>
      spans.filter((it) => it.service === emitter.name),
    );
    expect([...new Set(seen.flatMap((span) => spanFaults(emitter, span)))]).toEqual([]);
  });

  it('lead to the services that the contract says, and to no others', async () => {
    const reached = new Set<string>();
    await waitFor(
      `the ways from ${emitter.name} to ${emitter.reaches.join(', ')}`,
      async () => {
        for (const { spans } of await tracesOf(emitter.name)) {
          const by = new Map(spans.map((span) => [span.id, span]));
          for (const { parent, service } of spans) {
            if (by.get(parent)?.service === emitter.name && service !== emitter.name) reached.add(service);
          }
        }
        return emitter.reaches.every((name) => reached.has(name));
      },
      patience,
    );
    expect([...reached].sort()).toEqual([...emitter.reaches].sort());
  });
});

describe.each(emitters.map((emitter) => [emitter.name, emitter] as const))('log lines of %s', (_, emitter) => {
  it('are JSON with the keys that the contract says, and no others', async () => {
    const lines = await logOf(emitter);
    expect(lines.length).toBeGreaterThan(0);
    const faults = lines.flatMap((line) => lineFaults(emitter, line));
    expect([...new Set(faults)]).toEqual([]);
    const said = new Set(lines.map((line) => `${line.level} ${line.msg}`));
    const usual = emitter.lines.filter(({ usual }) => usual).map(({ level, message }) => `${level} ${message}`);
    expect(usual.filter((line) => !said.has(line))).toEqual([]);
  });
});

/** The name under which Prometheus keeps what a metric is: where it asked for OpenMetrics, a counter's has no `_total`. */
const familyOf = (name: string) => name.replace(/_total$/, '');

const selectorOf = ({ job, name }: Emitter) =>
  job === 'microservices' ? `{job="${job}",namespace="shop",service="${name}"}` : `{job="${job}"}`;

/** What each metric is, by its family, as its targets say it. */
async function metadataOf(emitter: Emitter): Promise<ReadonlyMap<string, string>> {
  const query = new URLSearchParams({ match_target: selectorOf(emitter) });
  const data = await prometheus<readonly { metric: string; type: string }[]>(`targets/metadata?${query.toString()}`);
  return new Map(data.map(({ metric, type }) => [familyOf(metric), type]));
}

function missing({ metrics }: Emitter, metadata: ReadonlyMap<string, string>): readonly string[] {
  return metrics
    .filter(({ only, name }) => only === undefined || metadata.has(familyOf(name)))
    .filter(({ name, type }) => metadata.get(familyOf(name)) !== type)
    .map(({ name, type }) => `${name} is no ${type}: ${metadata.get(familyOf(name))}`);
}

async function labelFaults(emitter: Emitter): Promise<readonly string[]> {
  const start = String(Math.floor(Date.now() / 1000) - 60);
  const query = new URLSearchParams({ 'match[]': selectorOf(emitter), start });
  const all = await prometheus<readonly Readonly<Record<string, string>>[]>(`series?${query.toString()}`);
  const has = new Map<string, Set<string>>();
  for (const { __name__: name = '', ...labels } of all) {
    const known = has.get(name) ?? new Set();
    for (const label of Object.keys(labels)) known.add(label);
    has.set(name, known);
  }
  return emitter.metrics.flatMap((metric) => seriesOf(metric).flatMap((series) => seriesFaults(metric, series, has)));
}

function seriesFaults(
  metric: Metric,
  series: string,
  has: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  const labels = has.get(series);
  if (labels === undefined) return metric.after || metric.only ? [] : [`${series} has no series`];
  const declared = labelsOf(metric, series);
  return [
    ...declared.filter((label) => !labels.has(label)).map((label) => `${series} without ${label}`),
    ...[...labels].filter((label) => !declared.includes(label)).map((label) => `${series} with ${label}`),
  ];
}

interface Span extends SeenSpan {
  readonly id: string;
  readonly parent: string;
  readonly service: string;
}

interface JaegerTrace {
  readonly spans: readonly {
    readonly spanID: string;
    readonly operationName: string;
    readonly processID: string;
    readonly references?: readonly { readonly refType: string; readonly spanID: string }[];
    readonly tags: readonly { readonly key: string; readonly value: string | number | boolean }[];
  }[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** What Jaeger adds by itself. */
const ofJaeger = /^(span\.kind|error|otel\..*|internal\..*|w3c\.tracestate)$/;

async function tracesOf(service: string): Promise<readonly { readonly spans: readonly Span[] }[]> {
  const asked = `${url('jaeger')}/api/traces?service=${service}&limit=300&lookback=10m`;
  const answer = await fetch(asked, { signal: AbortSignal.timeout(30_000) });
  const { data } = (await answer.json()) as { data: readonly JaegerTrace[] };
  return data.map(({ spans, processes }) => ({
    spans: spans.map(({ spanID, operationName, processID, references = [], tags }) => ({
      id: spanID,
      parent: references.find(({ refType }) => refType === 'CHILD_OF')?.spanID ?? '',
      service: processes[processID]?.serviceName ?? '',
      name: operationName,
      kind: String(tags.find(({ key }) => key === 'span.kind')?.value ?? 'internal'),
      attributes: Object.fromEntries(
        tags.filter(({ key }) => !ofJaeger.test(key)).map(({ key, value }) => [key, value]),
      ),
    })),
  }));
}

/** What is wrong with a span by the declared kind that it is nearest to. */
function spanFaults({ spans }: Emitter, seen: SeenSpan): readonly string[] {
  const like = spans.filter((declared) => isNamed(declared, seen)).map((declared) => attributeFaults(declared, seen));
  if (like.length === 0) return [`${seen.kind} ${seen.name} is not declared`];
  const [nearest = []] = [...like].sort((a, b) => a.length - b.length);
  return nearest.map((fault) => `${seen.kind} ${seen.name} ${fault}`);
}

/** What is compared is text; other keys hold anything. */
type LogLine = Readonly<Record<string, unknown>> & { readonly level?: string; readonly msg?: string };

async function logOf({ job, name }: Emitter): Promise<readonly LogLine[]> {
  const [namespace, selector] =
    job === 'microservices'
      ? ['shop', `microservice-platform.io/microservice=${name}`]
      : [platformNamespace, `app.kubernetes.io/name=${job}`];
  const text = await cli.run(['logs', '-n', namespace, '-l', selector, '--tail=5000', '--max-log-requests=10']);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        return { msg: line };
      }
    });
}

function lineFaults(emitter: Emitter, line: LogLine): readonly string[] {
  const declared = emitter.lines.filter((it) => it.level === line.level && pattern(it).test(line.msg ?? ''));
  if (declared.length === 0) return [`${line.level} ${line.msg} is not declared`];
  const faults = declared.map(({ keys, sometimes = [] }) => {
    const must = [...lineKeys.always, ...emitter.keys, ...keys];
    const may = [...must, ...sometimes, ...lineKeys.sometimes];
    return [
      ...must.filter((key) => !(key in line)).map((key) => `${line.msg} without ${key}`),
      ...Object.keys(line)
        .filter((key) => !may.includes(key))
        .map((key) => `${line.msg} with ${key}`),
    ];
  });
  return faults.sort((a, b) => a.length - b.length)[0] ?? [];
}

function pattern({ message }: Line): RegExp {
  const parts = message.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`);
}

async function prometheus<T>(path: string): Promise<T> {
  const answer = await fetch(`${url('prometheus')}/api/v1/${path}`, { signal: AbortSignal.timeout(20_000) });
  return ((await answer.json()) as { data: T }).data;
}
