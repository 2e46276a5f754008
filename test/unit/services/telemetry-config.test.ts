import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../services/common/src/config/config.ts';
import { type SamplerName, samplerNames, samplerOf } from '../../../services/common/src/telemetry/sampling.ts';
import { telemetryConfig } from '../../../services/common/src/telemetry/telemetry-config.ts';

const read = (env: Record<string, string>) => readConfig({ OTEL_SERVICE_NAME: 'orders', ...env }, telemetryConfig);

describe('what telemetry reads', () => {
  it('keeps every trace and adds nothing to the resource when nothing is said', () => {
    expect(read({})).toMatchObject({ sampler: 'parentbased_always_on', samplerRatio: 1, resource: {} });
  });

  it.each([
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'is "jaeger_remote", not one of always_on'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'is "1.5", not a number from 0 to 1'],
    ['OTEL_TRACES_SAMPLER_ARG', '-0', 'not a number from 0 to 1'],
    ['OTEL_TRACES_SAMPLER_ARG', '10%', 'not a number from 0 to 1'],
    ['OTEL_TRACES_SAMPLER_ARG', '', 'not a number from 0 to 1'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'team', 'has "team" where key=value is expected'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=1,=2', 'has "=2" where key=value is expected'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=1=2', 'has "a=1=2" where key=value is expected'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=%zz', 'has "a=%zz" where key=value is expected'],
  ])('refuses %s %j by its name', (variable, value, said) => {
    expect(() => read({ [variable]: value })).toThrow(`${variable} ${said.startsWith('not') ? '' : said}`);
    expect(() => read({ [variable]: value })).toThrow(said);
  });

  it.each([
    ['', {}],
    ['k8s.namespace.name=shop', { 'k8s.namespace.name': 'shop' }],
    [' team = a%2Cb , k8s.pod.name=orders-1,', { team: 'a,b', 'k8s.pod.name': 'orders-1' }],
    ['empty=', { empty: '' }],
  ])('reads the resource attributes %j', (text, attributes) => {
    expect(read({ OTEL_RESOURCE_ATTRIBUTES: text }).resource).toEqual(attributes);
  });
});

describe('sampling', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const calledBy = (traceFlags: number) =>
    trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b7ad6b7169203331', traceFlags, isRemote: true });

  /** Of so many spans, the share that is kept. */
  async function kept(name: SamplerName, ratio: number, parent = ROOT_CONTEXT): Promise<number> {
    const exporter = new InMemorySpanExporter();
    const provider = new TracerProvider({
      sampler: samplerOf(name, ratio),
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
    });
    const tracer = provider.getTracer('test');
    for (let i = 0; i < 2_000; i += 1) {
      context.with(ROOT_CONTEXT, () => tracer.startSpan('a span', { kind: SpanKind.SERVER }, parent).end());
    }
    await provider.forceFlush();
    return exporter.getFinishedSpans().length / 2_000;
  }

  it.each([
    ['always_on', 1],
    ['always_off', 0],
    ['parentbased_always_on', 1],
    ['parentbased_always_off', 0],
  ] as const)('by %s keeps %d of the new traces', async (name, share) => {
    expect(await kept(name, 0.5)).toBe(share);
  });

  it.each(['traceidratio', 'parentbased_traceidratio'] as const)(
    'by %s keeps the given share of them',
    async (name) => {
      expect(await kept(name, 0.1)).toBeCloseTo(0.1, 1);
      expect(await kept(name, 0)).toBe(0);
      expect(await kept(name, 1)).toBe(1);
    },
  );

  it('is up to the caller where the name says so, and only there', async () => {
    for (const name of samplerNames) {
      const shares = [await kept(name, 0, calledBy(1)), await kept(name, 1, calledBy(0))];
      if (name.startsWith('parentbased')) expect([name, ...shares]).toEqual([name, 1, 0]);
      else expect(shares[0]).toBe(name === 'always_on' ? 1 : 0);
    }
  });
});
