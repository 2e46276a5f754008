import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { tool } from '../../cluster/toolchain.ts';
import { alertFiles } from '../../dashboards/alerts/files.ts';
import { metricsRegistry } from '../../services/common/src/serving/metrics.ts';
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';

/** Windows are so many times shorter than they are meant to be: half a minute instead of five. */
const faster = 10;
const { registry, observe } = metricsRegistry();
let folder: string;
let prometheus: Daemon;
let address: string;
const server = createServer((request, response) => {
  const page = request.url === '/operator' ? Promise.resolve(promises) : registry.metrics();
  void page.then((text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text));
});

/** As two operators say it at the same time, of which one works. */
const objective = 'microservice_platform_slo_objective';
const promises = `# TYPE ${objective} gauge
${objective}{namespace="shop",name="cart",slo="availability"} 0.9
${objective}{namespace="shop",name="cart",slo="latency",le="1"} 0.95
${objective}{namespace="shop",name="idle",slo="availability"} 0.999
`;

/** The value of each series of a query, by its labels. */
async function ask(query: string): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`, {
    signal: AbortSignal.timeout(5000),
  });
  const { data } = (await answer.json()) as {
    data: { result: readonly { metric: Readonly<Record<string, string>>; value: readonly [number, string] }[] };
  };
  const keyOf = ({ __name__, ...labels }: Readonly<Record<string, string>>) => Object.values(labels).join(' ');
  return Object.fromEntries(data.result.map(({ metric, value }) => [keyOf(metric), Number(value[1])]));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slo-'));
  mkdirSync(join(folder, 'rules'));
  for (const [path, text] of Object.entries(alertFiles(faster)))
    writeFileSync(join(folder, 'rules', basename(path)), text);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const job = (name: string, path: string, labels: object) => ({
    job_name: name,
    metrics_path: path,
    static_configs: [{ targets: [target], labels }],
  });
  const config = {
    global: { scrape_interval: '1s' },
    rule_files: ['rules/*.yaml'],
    scrape_configs: [
      job('microservices', '/service', { namespace: 'shop', service: 'cart', pod: 'a' }),
      { ...job('operator', '/operator', { namespace: 'platform', service: 'operator', pod: 'o' }) },
    ],
  };
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
  address = `127.0.0.1:${await freePort()}`;
  const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=samples', `--web.listen-address=${address}`];
  prometheus = startDaemon('prometheus', tool('prometheus'), { args, cwd: folder });
  await prometheus.ready(
    () =>
      fetch(`http://${address}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      ),
    30_000,
  );
});
afterAll(async () => {
  await prometheus.end('SIGTERM');
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('what services promise, as a real Prometheus sees it', () => {
  it('is followed from the metrics of a service and the objectives of the operator; where nobody asks there is no figure', async () => {
    const request = (status: number, seconds: number, endpoint = '/cart') =>
      observe({ method: 'GET', endpoint, status, seconds });
    // Every series is there before it counts: the first value of a counter is not an increase.
    for (const status of [200, 503]) request(status, 0.01);
    const traffic = setInterval(() => {
      // Of twenty one fails, and two take longer than promised. What machines ask for, and streams, count for neither.
      for (let n = 0; n < 17; n++) request(200, 0.01);
      for (const [status, seconds] of [
        [503, 0.01],
        [200, 2],
        [404, 3],
      ] as const)
        request(status, seconds);
      for (let n = 0; n < 20; n++) request(503, 0.01, '/readyz');
    }, 100);
    try {
      await eventually(
        async () => {
          const burn = await ask('slo:burn_rate:ratio_rate5m');
          expect(burn['shop cart availability']).toBeCloseTo(0.5, 1); // 5 % where 10 % may
          expect(burn['shop cart latency']).toBeCloseTo(2, 0); // 10 % where 5 % may
          const left = await ask('slo:error_budget:remaining_ratio');
          expect(left['shop cart availability']).toBeCloseTo(0.5, 1);
          expect(left['shop cart latency']).toBeLessThan(-0.5);
        },
        { withinMs: 50_000, everyMs: 500 },
      );
    } finally {
      clearInterval(traffic);
    }
    expect(await ask('slo:objective:ratio')).toEqual({
      'shop cart availability': 0.9,
      'shop cart latency': 0.95,
      'shop idle availability': 0.999,
    });
    for (const record of ['slo:requests:rate5m', 'slo:sli_error:ratio_rate5m', 'slo:error_budget:remaining_ratio']) {
      expect(Object.keys(await ask(record)).filter((key) => key.includes('idle'))).toEqual([]);
    }
    const { data } = (await (await fetch(`http://${address}/api/v1/rules`)).json()) as {
      data: { groups: readonly { rules: readonly { name: string; health: string; lastError?: string }[] }[] };
    };
    const faults = data.groups.flatMap(({ rules }) => rules.filter(({ health }) => health !== 'ok'));
    expect(faults).toEqual([]);
  });
});
