import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { gatewayEnv, metric } from '../support/shop.ts';

/** At a collector that takes a connection, and nothing from it; it answers once it is told to. */
const sockets = new Set<Socket>();
const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
let gateway: ServiceProcess;

beforeAll(async () => {
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  gateway = await startService('api-gateway', {
    ...gatewayEnv(),
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
  });
});
afterAll(async () => {
  await gateway?.stop();
  silent.close();
  for (const socket of sockets) socket.destroy();
});

/** The names and labels of all that it shows, but for what Node happens to be waiting for. */
async function seriesOf(url: string): Promise<readonly string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = text.split('\n').filter((line) => !/^($|#|nodejs_active_)/.test(line));
  return samples.map((line) => line.replace(/ [^ ]*$/, '')).sort();
}

/** Runs `work` for each number below `count`, `width` at a time. */
async function many(count: number, width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'SEARCH', 'PROPFIND', 'MKCOL', 'PURGE'];

describe('the series of a service', () => {
  it('stay as many whatever 10,000 paths, methods and hosts it is asked for', { timeout: 180_000 }, async () => {
    const agent = new Agent({ connections: 32 });
    const ask = async (index: number) => {
      const method = methods[index % methods.length] ?? 'GET';
      const path = index % 2 === 0 ? `/made-up/${index}?q=${index}` : `/%${index}`;
      const { body } = await request(`${gateway.url}${path}`, {
        dispatcher: agent,
        method: method as 'GET',
        headers: { host: `host-${index}.example:${index}`, 'x-request-id': `id-${index}` },
      });
      await body.dump();
    };
    await many(100 * methods.length, 32, ask); // each kind of request and of refusal was there
    await seriesOf(gateway.url); // is a request, too
    const before = await seriesOf(gateway.url);
    await many(10_000, 32, ask);
    expect(await seriesOf(gateway.url)).toEqual(before);
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    const named = [...text.matchAll(/^http_requests_total\{method="(.+?)"/gm)].map(([, method]) => method);
    expect(new Set(named)).toEqual(new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', '_OTHER']));
    await agent.close();
  });

  it('do not know a method that no parser does', async () => {
    const { port, hostname } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.write('NONSENSE / HTTP/1.1\r\nhost: x\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400/);
    socket.destroy();
    expect(await (await fetch(`${gateway.url}/metrics`)).text()).not.toContain('NONSENSE');
  });
});

describe('spans that nobody takes', () => {
  const fates = async () => {
    const of = async (outcome: string) =>
      (await metric(gateway.url, `telemetry_spans_total{outcome="${outcome}"}`)) ?? 0;
    return { sent: await of('sent'), failed: await of('failed'), dropped: await of('dropped') };
  };
  const settledAfter = { timeout: 120_000, interval: 500 };

  it('cost 50,000 requests nothing and little memory, and each is counted as lost', async () => {
    const agent = new Agent({ connections: 32 });
    const residentBefore = residentMiB(gateway.child.pid ?? 0);
    let slowest = 0;
    await many(50_000, 32, async () => {
      const started = performance.now();
      const { statusCode, body } = await request(`${gateway.url}/nothing`, { dispatcher: agent });
      await body.dump();
      expect(statusCode).toBe(404);
      slowest = Math.max(slowest, performance.now() - started);
    });
    await agent.close();
    expect(slowest).toBeLessThan(2_500); // an export takes 5 s until it is given up
    expect(residentMiB(gateway.child.pid ?? 0) - residentBefore).toBeLessThan(150);

    const counted = async () => {
      const { sent, failed, dropped } = await fates();
      return sent + failed + dropped;
    };
    await expect.poll(counted, settledAfter).toBe(await endedSpans(gateway.url));
    const { sent, failed, dropped } = await fates();
    expect(sent).toBe(0);
    expect(failed).toBeGreaterThan(0);
    expect(dropped).toBeGreaterThan(40_000);
  }, 400_000);
});

/** Every request has one span, but for those of probes and scrapes. */
async function endedSpans(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = text.matchAll(/^http_requests_total\{method=".+?",endpoint="(.+?)",status="\d+"\} (\d+)$/gm);
  return [...counts].reduce((sum, [, endpoint, count]) => (endpoint === '/metrics' ? sum : sum + Number(count)), 0);
}

function residentMiB(pid: number): number {
  const [, kB] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kB) / 1024;
}
