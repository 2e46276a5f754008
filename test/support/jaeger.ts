import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { tool } from '../../cluster/toolchain.ts';
import { freePort, startDaemon } from './daemon.ts';

export interface Span {
  readonly service: string;
  readonly name: string;
  readonly spanId: string;
  /** The id of the parent span, in this trace or in the caller's. */
  readonly parentId: string | undefined;
  readonly tags: Readonly<Record<string, unknown>>;
  /** The ids of the traces that it points at besides its own. */
  readonly linkedTraces: readonly string[];
}

export interface Jaeger {
  readonly otlpEndpoint: string;
  readonly thriftEndpoint: string;
  /** The spans of a trace, once there are at least `count` of them; waits for that at most 10 s. */
  readonly spansOf: (traceId: string, count: number) => Promise<readonly Span[]>;
  /** The spans of a service that are there now. */
  readonly spansBy: (service: string) => Promise<readonly Span[]>;
  readonly stop: () => Promise<void>;
}

const readyMs = 30_000;
const foundMs = 10_000;

/** A Jaeger of its own on free ports: takes OTLP and Thrift over HTTP, keeps traces in memory, answers queries. */
export async function startJaeger(): Promise<Jaeger> {
  const folder = mkdtempSync(join(tmpdir(), 'jaeger-'));
  const [otlp, thrift, query, queryGrpc] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const file = join(folder, 'jaeger.yaml');
  writeFileSync(file, stringify(configuration({ otlp, thrift, query, queryGrpc })));
  const daemon = startDaemon('jaeger', tool('jaeger'), { args: [`--config=${file}`], cwd: folder });
  const api = `http://127.0.0.1:${query}/api`;
  await daemon.ready(
    () =>
      fetch(`${api}/services`).then(
        ({ ok }) => ok,
        () => false,
      ),
    readyMs,
  );
  return {
    otlpEndpoint: `http://127.0.0.1:${otlp}`,
    thriftEndpoint: `http://127.0.0.1:${thrift}/api/traces`,
    spansBy: async (service) =>
      spansIn((await (await fetch(`${api}/traces?service=${service}&limit=1000`)).json()) as Answer),
    spansOf: (traceId, count) => found(`${api}/traces/${traceId}`, count),
    stop: async () => {
      await daemon.end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(ports: Record<'otlp' | 'thrift' | 'query' | 'queryGrpc', number>) {
  const at = (port: number) => ({ endpoint: `127.0.0.1:${port}` });
  return {
    receivers: {
      otlp: { protocols: { http: at(ports.otlp) } },
      jaeger: { protocols: { thrift_http: at(ports.thrift) } },
    },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 1000 } } } },
      jaeger_query: { storage: { traces: 'memory' }, http: at(ports.query), grpc: at(ports.queryGrpc) },
    },
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp', 'jaeger'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' } },
    },
  };
}

interface Answer {
  readonly data?: readonly {
    readonly spans: readonly {
      readonly spanID: string;
      readonly operationName: string;
      readonly processID: string;
      readonly references: readonly Reference[];
      readonly tags: readonly { readonly key: string; readonly value: unknown }[];
    }[];
    readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
  }[];
}

interface Reference {
  readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
  readonly traceID: string;
  readonly spanID: string;
}

async function found(url: string, count: number): Promise<readonly Span[]> {
  const deadline = Date.now() + foundMs;
  for (;;) {
    const spans = spansIn((await (await fetch(url)).json()) as Answer);
    if (spans.length >= count) return spans;
    if (Date.now() > deadline) {
      throw new Error(`${spans.length} of ${count} spans at ${url} after ${foundMs} ms: ${JSON.stringify(spans)}`);
    }
    await sleep(100);
  }
}

function spansIn({ data }: Answer): readonly Span[] {
  return (data ?? []).flatMap(({ spans, processes }) =>
    spans.map((span) => ({
      service: processes[span.processID]?.serviceName ?? '',
      name: span.operationName,
      spanId: span.spanID,
      parentId: span.references.find(({ refType }) => refType === 'CHILD_OF')?.spanID,
      linkedTraces: span.references.filter(({ refType }) => refType === 'FOLLOWS_FROM').map(({ traceID }) => traceID),
      tags: Object.fromEntries(span.tags.map(({ key, value }) => [key, value])),
    })),
  );
}
