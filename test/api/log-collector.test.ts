import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { find, ofKind, platformNamespace, render } from '../chart/rendered.ts';
import { kubeconfigOfAccount } from '../support/account.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { LogCollectorProcess } from '../support/log-collector-process.ts';
import { type LokiServer, lokiServer } from '../support/loki.ts';
import { type PlayedContainer, PlayedKubelet } from '../support/played-kubelet.ts';

// The real collector, with the rights that the chart gives it, on a real API server, with a real Loki. Only the node is
// played: a kubelet that has logs and no containers.
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
let loki: LokiServer;
let kubelet: PlayedKubelet;
let kubeconfig: string;

startApiServer();
beforeAll(async () => {
  const objects = render();
  await api.post('/api/v1/namespaces', { metadata: { name: platformNamespace } });
  const accounts = `/api/v1/namespaces/${platformNamespace}/serviceaccounts`;
  await api.post(accounts, find(objects, 'ServiceAccount', 'log-collector'));
  for (const [kind, plural] of [
    ['ClusterRole', 'clusterroles'],
    ['ClusterRoleBinding', 'clusterrolebindings'],
  ] as const) {
    const own = ofKind(objects, kind).filter(({ metadata }) => metadata.name.endsWith('log-collector'));
    for (const object of own) await api.post(`${rbac}/${plural}`, object);
  }
  kubeconfig = await kubeconfigOfAccount({ api, plane }, platformNamespace, 'log-collector');
  kubelet = await PlayedKubelet.start(plane, api);
  loki = await lokiServer();
  await loki.start();
}, 180_000);
afterAll(async () => {
  await kubelet?.[Symbol.asyncDispose]();
  await loki?.[Symbol.asyncDispose]();
});

const collect = (env: Readonly<Record<string, string>> = {}) =>
  LogCollectorProcess.start({ KUBECONFIG: kubeconfig, LOG_COLLECTOR_LOKI_URL: loki.url, ...env });

/** A pod of the test's own Microservice, with the container of the service. */
async function podOf(service: string): Promise<PlayedContainer> {
  const [container] = await kubelet.pod({ namespace: orders.namespace, name: `${service}-1`, service });
  return container as PlayedContainer;
}

const numbered = (from: number, to: number, padding = '') =>
  Array.from({ length: to - from }, (_, at) => `line ${from + at}${padding}`);

const found = async (selector: string) =>
  (await loki.lines(`{namespace="${orders.namespace}"${selector}}`)).map(({ line }) => line);

/** Waits until Loki has exactly these lines, in their order, each once. */
const arrives = (selector: string, lines: readonly string[], withinMs = 30_000) =>
  eventually(async () => expect(await found(selector)).toEqual(lines), { withinMs, everyMs: 250 });

/** How many lines Loki has, however many these are. */
async function counted(): Promise<number> {
  const query = `sum(count_over_time({namespace="${orders.namespace}"}[1h]))`;
  const parameters = new URLSearchParams({ query, time: String(Date.now() / 1000 + 5) });
  const answer = await fetch(`${loki.url}/loki/api/v1/query?${parameters.toString()}`);
  const { data } = (await answer.json()) as {
    readonly data: { readonly result: readonly { value: [number, string] }[] };
  };
  return Number(data.result[0]?.value[1] ?? 0);
}

describe('the log collector', () => {
  it('brings the lines of every container to Loki as they were written, to be found by what they are of', async () => {
    await using _ = await collect();
    const [service, proxy] = await kubelet.pod({ ...orders, name: 'orders-1', service: 'orders' }, ['proxy']);
    const json = JSON.stringify({ level: 'info', trace_id: trace, msg: 'order "é" placed' });
    service?.write(json, 'plain text');
    proxy?.write('GET /');

    await arrives(', service="orders", container=""', [json, 'plain text']);
    await arrives(', pod="orders-1", container="proxy"', ['GET /']);
    const [line] = await loki.lines(`{namespace="${orders.namespace}"} | trace_id="${trace}"`);
    expect(line).toMatchObject({ line: json, labels: { service: 'orders', level: 'info' } });
  });

  it('cuts a line that nobody could read, and says so', async () => {
    await using collector = await collect();
    const service = await podOf('orders');
    service.write('x'.repeat(300_000), 'next');

    await eventually(
      async () => {
        const [long = '', next] = await found('');
        expect(long).toMatch(/^x{65000,65536} \[cut: \d+ bytes left out\]$/);
        expect(next).toBe('next');
      },
      { withinMs: 20_000 },
    );
    expect(await collector.metric('log_collector_lines_cut_total')).toBe(1);
  });

  it('has the last words of a process that ends at once, of each of its runs', async () => {
    await using _ = await collect();
    const service = await podOf('orders');
    const words: string[] = [];
    for (let run = 0; run < 6; run += 1) {
      if (run > 0) await service.begin();
      words.push(`fatal: run ${run}`);
      service.write(`fatal: run ${run}`);
      await service.end();
      // A node keeps the logs of the last two runs, and waits longer and longer before it begins another.
      if (run % 2 === 1) await arrives('', words);
    }
  });

  it('goes on where it was when connections break and when the API server is started anew', async () => {
    await using collector = await collect();
    const service = await podOf('orders');
    for (let round = 0; round < 4; round += 1) {
      service.write(...numbered(round * 100, round * 100 + 50));
      await arrives(
        '',
        numbered(0, round * 50 + 50).map((_, at) => `line ${Math.floor(at / 50) * 100 + (at % 50)}`),
      );
      if (round === 2) await plane.restartApiServer();
      else kubelet.cut();
    }
    expect(await collector.metric('log_collector_lines_dropped_total')).toBe(0);
    // What was read before is not sent again.
    expect(await collector.metric('log_collector_lines_read_total')).toBe(200);
    expect(await counted()).toBe(200);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'loses nothing and shows nothing twice when it is ended by %s',
    async (signal) => {
      const service = await podOf('orders');
      for (let round = 0; round < 3; round += 1) {
        await using collector = await collect();
        service.write(...numbered(round * 300, round * 300 + 200));
        await eventually(async () =>
          expect(await collector.metric('log_collector_lines_read_total')).toBeGreaterThan(0),
        );
        const exit = await collector.stop(signal);
        expect(exit).toBe(signal === 'SIGTERM' ? 0 : null);
        service.write(...numbered(round * 300 + 200, round * 300 + 300));
      }
      await using _ = await collect();
      await arrives('', numbered(0, 900));
    },
  );

  it('needs no right that the chart does not give it', async () => {
    await using collector = await collect();
    await podOf('orders');
    await eventually(async () => expect(await collector.metric('log_collector_streams_open')).toBeGreaterThan(0));
    expect(collector.output).not.toMatch(/forbidden|denied/i);
  });
});

describe('while Loki is away', () => {
  it.each([
    ['killed', () => loki.kill(), () => loki.start()],
    ['frozen', () => loki.freeze(), () => loki.thaw()],
  ] as const)('no line is lost: %s', async (_, away, back) => {
    await using collector = await collect();
    const service = await podOf('orders');
    service.write(...numbered(0, 100));
    await arrives('', numbered(0, 100));
    await away();
    service.write(...numbered(100, 1_000));
    await eventually(async () =>
      expect(await collector.metric('log_collector_lines_read_total')).toBeGreaterThanOrEqual(1_000),
    );
    // It tried, and goes on trying.
    await eventually(
      async () => expect(await collector.metric('log_collector_pushes_total{outcome="later"}')).toBeGreaterThan(0),
      {
        withinMs: 30_000,
      },
    );
    expect((await collector.ask('/readyz')).status).toBe(200);
    expect(await collector.metric('log_collector_lag_seconds')).toBeGreaterThan(0);
    await back();
    await arrives('', numbered(0, 1_000), 60_000);
    expect(await collector.metric('log_collector_lines_dropped_total')).toBe(0);
  });

  it('lines wait on their nodes, not in memory, and all of them arrive', async () => {
    await using collector = await collect({ LOG_COLLECTOR_BACKLOG_MEBIBYTES: '4' });
    const services = await Promise.all(['a', 'b', 'c', 'd'].map(podOf));
    const before = collector.rss();
    await loki.kill();
    const lines = 20_000;
    for (const service of services) service.write(...numbered(0, lines, ' '.repeat(500)));
    await eventually(async () => expect(await collector.metric('log_collector_backlog_bytes')).toBeGreaterThan(4e6));
    const most: number[] = [];
    for (let look = 0; look < 20; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      most.push(await collector.metric('log_collector_backlog_bytes'));
    }
    expect(Math.max(...most)).toBeLessThan(5e6);
    const grown = collector.rss() - before;
    console.info(`40 MB of lines while Loki was away: the collector grew by ${Math.round(grown / 1e6)} MB`);
    expect(grown).toBeLessThan(80e6);
    await loki.start();
    await eventually(async () => expect(await counted()).toBe(4 * lines), { withinMs: 90_000, everyMs: 1_000 });
    expect(await collector.metric('log_collector_lines_dropped_total')).toBe(0);
  }, 180_000);
});
