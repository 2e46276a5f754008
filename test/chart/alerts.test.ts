import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { tool } from '../../cluster/toolchain.ts';
import { groups } from '../../dashboards/alerts/files.ts';
import { api, orders, plane, startApiServer } from '../support/api-server.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { microservice } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { paths } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { find, names, notes, render, type Wire } from './rendered.ts';
import { storiesOf, testFileOf } from './stories.ts';

const alerts = groups.flatMap((group) => group.alerts);
const stories = storiesOf(groups);
/** Where the pod has them. */
const mounted = '/etc/prometheus-alerts';
let folder: string;

/** What promtool prints; throws all that it says when it is not content. */
function promtool(...args: readonly string[]): string {
  const options = { cwd: folder, encoding: 'utf8', timeout: 30_000 } as const;
  const { status, stdout, stderr } = spawnSync(tool('promtool'), args, options);
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** The rules as the pod of Prometheus gets them, by the name of their file. */
const ruleFilesOf = (values: object = {}): Readonly<Record<string, string>> =>
  find(render(values), 'ConfigMap', 'prometheus-alerts').data;

const rulesIn = (file: string): readonly Wire[] => parse(file).groups.flatMap(({ rules }: Wire) => rules);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'alerts-'));
  mkdirSync(join(folder, 'rules'));
  for (const [name, text] of Object.entries(ruleFilesOf())) writeFileSync(join(folder, 'rules', name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the alerts of the chart', () => {
  it('are rules that Prometheus takes, all of them, and no two alike', () => {
    const files = Object.keys(ruleFilesOf()).map((name) => join('rules', name));
    const said = promtool('check', 'rules', '--lint=all', '--lint-fatal', ...files);
    const found = [...said.matchAll(/SUCCESS: (\d+) rules found/g)].map(([, count]) => Number(count));
    const made = groups.flatMap(({ recordings = [] }) => recordings);
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(alerts.length + made.length);
  });

  it('are found by the Prometheus of the chart where they are mounted', () => {
    const objects = render();
    const { containers, volumes } = find(objects, 'Deployment', 'prometheus').spec.template.spec;
    const { name } = containers[0].volumeMounts.find(({ mountPath }: Wire) => mountPath === mounted);
    expect(volumes).toContainEqual({ name, configMap: { name: 'prometheus-alerts' } });

    const config: string = find(objects, 'ConfigMap', 'prometheus').data['prometheus.yml'];
    writeFileSync(join(folder, 'prometheus.yml'), config.replaceAll(mounted, 'rules'));
    expect(promtool('check', 'config', 'prometheus.yml')).toMatch(/SUCCESS: \d+ rule files found/);
  });

  it('fit into a ConfigMap: below 200 kB', () => {
    expect(JSON.stringify(ruleFilesOf()).length).toBeLessThan(200_000);
  });

  it('make a new pod of Prometheus when they change, and only then', () => {
    const annotations = (values: object) =>
      find(render(values), 'Deployment', 'prometheus').spec.template.metadata.annotations;
    const changed = annotations({ alerts: { runbooks: 'https://docs.example.com/runbooks' } });
    expect(changed['checksum/alerts']).not.toBe(annotations({})['checksum/alerts']);
    expect(changed['checksum/config']).toBe(annotations({})['checksum/config']);
  });

  it('lead to the runbooks at the address that is given', () => {
    const urls = (values: object) =>
      Object.values(ruleFilesOf(values)).flatMap((file) =>
        rulesIn(file).flatMap(({ annotations }): string[] => (annotations ? [annotations.runbook_url] : [])),
      );
    expect(urls({})).toContain('docs/runbooks.md#operatornobodyleads');
    const moved = urls({ alerts: { runbooks: 'https://docs.example.com/runbooks' } });
    expect(moved).toEqual(urls({}).map((url) => url.replace('docs/runbooks.md', 'https://docs.example.com/runbooks')));
    expect(() => render({ alerts: { runbooks: 'on: paper' } })).toThrow(/alerts\/runbooks/);
    expect(() => render({ alerts: { alertmanagers: ['http://a:1'] } })).toThrow(/alerts\/alertmanagers/);
  });

  it('are sent to the Alertmanagers that are named when they fire', async () => {
    await using alertmanager = await startReceiver();
    const values = { alerts: { alertmanagers: [alertmanager.address] } };
    const config: Wire = parse(find(render(values), 'ConfigMap', 'prometheus').data['prometheus.yml']);
    // There is nothing to scrape here, so nobody leads; and three minutes are too long to wait.
    const own = mkdtempSync(join(folder, 'prometheus-'));
    for (const [name, text] of Object.entries(ruleFilesOf(values))) {
      writeFileSync(join(own, name), text.replaceAll(/^ +for: .*$/gm, ''));
    }
    const { alerting } = config;
    writeFileSync(join(own, 'prometheus.yml'), stringify({ alerting, rule_files: [join(own, 'operator.yaml')] }));
    const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=samples'];
    const listen = `--web.listen-address=127.0.0.1:${await freePort()}`;
    const prometheus = startDaemon('prometheus', tool('prometheus'), { args: [...args, listen], cwd: own });
    try {
      await eventually(() => expect(alertmanager.received()).toEqual(['OperatorNobodyLeads']), { withinMs: 40_000 });
    } finally {
      await prometheus.end('SIGTERM');
    }
  });

  it.each([{ alerts: { enabled: false } }, { metrics: { mode: 'none' } }])(
    'are left out without a trace: %j',
    (values) => {
      const objects = render(values);
      expect(names(objects, 'ConfigMap')).not.toContain('prometheus-alerts');
      expect(JSON.stringify(objects.filter(({ kind }) => kind !== 'CustomResourceDefinition'))).not.toMatch(
        /prometheus-alerts|rule_files|checksum\/alerts|alertmanager:9093|alertmanager\.yml/,
      );
    },
  );

  it('are spoken of after an install, where there are any', () => {
    const to = ['alertmanager.monitoring.svc:9093'];
    expect(notes({ alerts: { alertmanagers: to } })).toMatch(/It sends that to alertmanager\.monitoring\.svc:9093\./);
    expect(notes({ alertmanager: { mode: 'none' } })).toMatch(/It sends that to nobody \(alertmanager\.mode=none/);
    expect(notes({})).not.toMatch(/to nobody/);
    expect(notes({})).toMatch(/\/api\/v1\/alerts tells what is wrong, docs\/runbooks\.md what to do/);
    expect(notes({ alerts: { enabled: false } })).not.toMatch(/alert/i);
  });
});

describe.each(stories)('%s', (_, title, told) => {
  const when = told.story.fires === undefined ? 'stays quiet' : 'fires in time, not before, and ends';
  it(`${when}: ${title}`, () => {
    writeFileSync(join(folder, 'test.yml'), stringify(testFileOf(told, 'rules')));
    expect(promtool('test', 'rules', 'test.yml')).toContain('SUCCESS');
  });
});

describe('an operator', () => {
  startApiServer();

  it('has every metric that an alert about it speaks of, with the labels that its stories give it', async () => {
    await using operator = await OperatorProcess.start(plane.kubeconfig);
    await api.post(paths.microservices(orders.namespace), microservice(orders));
    // A watch that had to be opened again is counted from then on.
    await plane.restartApiServer();
    const known = await eventually(
      async () => {
        const { text } = await operator.ask('/metrics');
        expect(text).toMatch(/^microservice_platform_watch_restarts_total\{.*reason="failed"/m);
        expect(text).toMatch(/^microservice_platform_reconciles_total\{result="settled"/m);
        return labelsByMetric(text);
      },
      { withinMs: 30_000, everyMs: 200 },
    );

    const own = groups.filter(({ name }) => name === 'operator').flatMap((group) => group.alerts);
    const asked = own.flatMap(({ expr }) => selectorsIn(expr));
    const told = stories
      .filter(([, , { alert }]) => own.includes(alert))
      .flatMap(([, , { story }]) => Object.keys(story.series).flatMap(selectorsIn));
    expect(asked.length).toBeGreaterThan(own.length);
    expect([...asked, ...told].flatMap((selector) => missingFrom(known, selector))).toEqual([]);
  });
});

interface Receiver extends AsyncDisposable {
  /** Its host and port. */
  readonly address: string;
  /** The names of the alerts that it was sent, each once. */
  received(): readonly string[];
}

/** Takes what Prometheus sends to an Alertmanager. */
async function startReceiver(): Promise<Receiver> {
  const taken = new Set<string>();
  const take = async (request: IncomingMessage) => {
    const sent = (await json(request)) as readonly { labels: Readonly<Record<string, string>> }[];
    if (request.url === '/api/v2/alerts') for (const { labels } of sent) taken.add(labels.alertname ?? '');
  };
  const server = createServer((request, response) => {
    take(request).then(
      () => response.end(),
      (error: Error) => response.writeHead(400).end(error.message),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => [...taken],
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** What Prometheus knows by itself of what it scrapes. */
const fromScraping = { metric: 'up', labels: ['job', 'pod'] };

/** The series that an expression asks for; every selector has braces. */
function selectorsIn(expression: string): Selector[] {
  return [...expression.matchAll(/([a-z0-9_]+)\{([^}]*)\}/g)].map(([, metric = '', matchers = '']) => ({
    metric,
    labels: [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label),
  }));
}

/** The labels of each metric of a page of metrics, over all its series. */
function labelsByMetric(page: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, metric = '', labels = ''] of page.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = found.get(metric) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    found.set(metric, known);
  }
  return found;
}

function missingFrom(known: ReadonlyMap<string, ReadonlySet<string>>, { metric, labels }: Selector): string[] {
  if (metric === fromScraping.metric) return [];
  const has = known.get(metric);
  if (has === undefined) return [metric];
  const unknown = labels.filter((label) => !has.has(label) && !fromScraping.labels.includes(label));
  return unknown.map((label) => `${metric}{${label}}`);
}
