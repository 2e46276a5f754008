import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jaegerExporter } from '../../services/common/src/telemetry/jaeger-exporter.ts';
import { startService } from '../support/service-process.ts';
import { gatewayEnv } from '../support/shop.ts';

const sockets = new Set<Socket>();
const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
let silentPort = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  silentPort = (silent.address() as AddressInfo).port;
});
afterAll(() => {
  silent.close();
  for (const socket of sockets) socket.destroy();
});

describe.concurrent.each(['otlp', 'jaeger'])('a collector for %s', (exporter) => {
  function gatewayWith(endpoint: string) {
    return startService('api-gateway', {
      ...gatewayEnv(),
      OTEL_TRACES_EXPORTER: exporter,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_JAEGER_ENDPOINT: endpoint,
    });
  }

  it.each([
    ['that is gone', () => 'http://127.0.0.1:1'],
    ['that accepts and never answers', () => `http://127.0.0.1:${silentPort}`],
  ])('%s costs no request anything, is reported once, and holds up no shutdown', async (_what, endpoint) => {
    const gateway = await gatewayWith(endpoint());
    for (let i = 0; i < 300; i += 1) {
      const started = performance.now();
      expect((await fetch(`${gateway.url}/nothing`)).status).toBe(404);
      expect(performance.now() - started).toBeLessThan(2_500); // an export takes 5 s until it is given up
    }
    const lost = () => gateway.log.filter(({ msg }) => String(msg).startsWith('spans are lost'));
    const deadline = Date.now() + 15_000;
    while (lost().length === 0 && Date.now() < deadline) {
      await fetch(`${gateway.url}/nothing`);
      await sleep(100);
    }
    const started = performance.now();
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(4_500);
    expect(lost()).toHaveLength(1);
  });
});

describe('the exporter for jaeger', () => {
  it('keeps no connection of an export that was given up', async () => {
    const memory = new InMemorySpanExporter();
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
    provider.getTracer('test').startSpan('a span').end();
    const own = new Set<Socket>();
    const collector = createServer((socket) => {
      own.add(socket.resume().on('error', () => undefined));
      socket.on('close', () => own.delete(socket));
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/api/traces`;

    const exporter = await jaegerExporter({ endpoint, timeoutMs: 100 });
    let connections = 0;
    collector.on('connection', () => {
      connections += 1;
    });
    for (let i = 0; i < 4; i += 1) {
      await new Promise((resolve) => exporter.export(memory.getFinishedSpans(), resolve));
    }
    await sleep(100);
    expect([connections, own.size]).toEqual([4, 0]);
    collector.close();
  });
});

describe('the exporter console', () => {
  it('writes spans to the output', async () => {
    const gateway = await startService('api-gateway', { ...gatewayEnv(), OTEL_TRACES_EXPORTER: 'console' });
    await fetch(`${gateway.url}/nothing`);
    await gateway.stop();
    expect(gateway.log.some(({ msg }) => String(msg).includes("'url.path': '/nothing'"))).toBe(true);
  });
});
