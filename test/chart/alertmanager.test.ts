import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tool } from '../../cluster/toolchain.ts';
import { every, secondsIn } from '../../dashboards/alerts/alert.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';
import { find, names, notes, render, type Wire } from './rendered.ts';

const mounted = '/etc/alertmanager-receivers';
let folder: string;

const email = { to: 'on-call@example.test', from: 'shop@example.test', smarthost: 'mail.example.test:587' };
/** Every way to tell somebody, for everybody who can be told. */
const everything = {
  page: {
    secret: 'on-call',
    webhook: { urlKey: 'url' },
    pagerduty: { routingKeyKey: 'routing-key' },
    email: { ...email, username: 'shop', passwordKey: 'password' },
  },
  ticket: { email: { ...email, requireTls: false } },
  watchdog: { secret: 'dead-man', webhook: { urlKey: 'url' } },
};
const byWebhook = {
  page: { secret: 'page', webhook: { urlKey: 'url' } },
  ticket: { secret: 'ticket', webhook: { urlKey: 'url' } },
};

const configOf = (receivers: object): string =>
  find(render({ alertmanager: { receivers } }), 'ConfigMap', 'alertmanager').data['alertmanager.yml'];

function amtool(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(tool('amtool'), args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (status !== 0) throw new Error(`amtool ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'alertmanager-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the Alertmanager of the chart', () => {
  it.each([
    ['nobody', {}],
    ['everybody', everything],
  ])('has a configuration that it takes, with %s to be told', (_, of) => {
    writeFileSync(join(folder, 'config.yml'), configOf(of));
    expect(amtool('check-config', 'config.yml')).toMatch(/SUCCESS.*3 inhibit rules/s);
  });

  it.each([
    ['page', ['alertname=ServiceDown', 'severity=page', 'namespace=shop', 'service=cart']],
    ['ticket', ['alertname=DeadLetters', 'severity=ticket', 'namespace=shop', 'service=cart']],
    ['nobody', ['alertname=DependencyFailing', 'severity=none', 'namespace=shop', 'service=cart']],
    ['watchdog', ['alertname=Watchdog', 'severity=none']],
    ['nobody', ['alertname=SomebodyElses']],
  ])('tells %s of %j', (receiver, labels) => {
    writeFileSync(join(folder, 'config.yml'), configOf(everything));
    amtool('config', 'routes', 'test', '--config.file=config.yml', `--verify.receivers=${receiver}`, ...labels);
  });

  it('sends the Watchdog nowhere where nobody expects it', () => {
    writeFileSync(join(folder, 'config.yml'), configOf({}));
    const labels = ['alertname=Watchdog', 'severity=none'];
    amtool('config', 'routes', 'test', '--config.file=config.yml', '--verify.receivers=nobody', ...labels);
  });

  it('waits with a message for longer than Prometheus takes to look again', () => {
    const [, wait = ''] = /group_wait: (\S+)/.exec(configOf({})) ?? [];
    expect(secondsIn(wait)).toBeGreaterThan(secondsIn(every));
  });

  it('has what is secret in files of the Secrets that are named, and none of it in its configuration', () => {
    const objects = render({ alertmanager: { receivers: everything } });
    const { containers, volumes } = find(objects, 'Deployment', 'alertmanager').spec.template.spec;
    const secretAt = (path: string): unknown => {
      const { name } = containers[0].volumeMounts.find(({ mountPath }: Wire) => mountPath === path);
      return volumes.find((volume: Wire) => volume.name === name).secret.secretName;
    };
    expect([secretAt(`${mounted}/page`), secretAt(`${mounted}/watchdog`)]).toEqual(['on-call', 'dead-man']);
    const config = configOf(everything);
    const files = [...config.matchAll(/_file: (\S+)/g)].map(([, path = '']) => path);
    expect(files.sort()).toEqual([
      `${mounted}/page/password`,
      `${mounted}/page/routing-key`,
      `${mounted}/page/url`,
      `${mounted}/watchdog/url`,
    ]);
    expect(config).not.toMatch(/^ *(url|routing_key|auth_password):/m);
  });

  it('keeps silences in a claim of the class that is named, when they are to outlive the pod', () => {
    const storage = { persistent: true, size: '1Gi', storageClassName: 'fast' };
    const objects = render({ alertmanager: { storage } });
    expect(find(objects, 'PersistentVolumeClaim', 'alertmanager').spec).toMatchObject({ storageClassName: 'fast' });
    expect(find(objects, 'Deployment', 'alertmanager').spec.template.spec.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'alertmanager' },
    });
    expect(names(render(), 'PersistentVolumeClaim')).not.toContain('alertmanager');
  });

  it('is told of alerts by the Prometheus of the chart, beside those of one’s own', () => {
    const config = (values: object): string => find(render(values), 'ConfigMap', 'prometheus').data['prometheus.yml'];
    expect(config({})).toContain('targets: ["alertmanager.microservice-platform.svc:9093"]');
    const both = config({ alerts: { alertmanagers: ['other:1'] } });
    expect(both).toContain('targets: ["alertmanager.microservice-platform.svc:9093","other:1"]');
    expect(config({ alertmanager: { mode: 'none' } })).not.toContain('alerting:');
    expect(find(render(), 'Service', 'alertmanager').spec.ports).toEqual([
      { name: 'http', port: 9093, targetPort: 'http' },
    ]);
  });

  it('has it said after an install that nobody is told, for as long as it is so', () => {
    expect(notes({})).toMatch(/service\/alertmanager 9093.*It tells nobody of a page.*It tells nobody of a ticket/s);
    const some = notes({ alertmanager: { receivers: { page: byWebhook.page } } });
    expect(some).toMatch(/It tells nobody of a ticket/);
    expect(some).not.toMatch(/It tells nobody of a page/);
  });
});

describe('the messages of a real Alertmanager', () => {
  it('are one for a service; what follows from something else is held back, and a dependency’s fault is the dependency’s', async () => {
    await using running = await start();
    const { tell, told } = running;
    // As Prometheus sees it when a service dies: its callers burn their budgets at the same moment.
    await tell([
      alert('ServiceDown', 'page', 'stock'),
      alert('SloBurnsFast', 'page', 'stock', { slo: 'availability' }),
      alert('MicroserviceNotReady', 'ticket', 'stock'),
      alert('SloBurnsFast', 'page', 'cart', { slo: 'availability' }),
      alert('DependencyFailing', 'none', 'cart', { dependency: 'stock' }),
      alert('SloBurnsFast', 'page', 'gateway', { slo: 'latency' }),
      alert('DependencyFailing', 'none', 'gateway', { dependency: 'cart' }),
      alert('DeadLetters', 'ticket', 'mail', { queue: 'a' }),
      alert('DeadLetters', 'ticket', 'mail', { queue: 'b' }),
      alert('TelemetryLost', 'ticket', undefined),
      alert('OperatorNobodyLeads', 'page', undefined),
    ]);
    await eventually(() => expect(told()).toHaveLength(4), { withinMs: 30_000, everyMs: 200 });
    await sleep(3000); // and nothing comes after it
    expect(told()).toEqual([
      'page of -: OperatorNobodyLeads',
      'page of stock: ServiceDown',
      'ticket of -: TelemetryLost',
      'ticket of mail: DeadLetters, DeadLetters',
    ]);
  });

  it('come for a page of a service that fails by itself, and for one that is down whatever its dependencies do', async () => {
    await using running = await start();
    const { tell, told } = running;
    await tell([
      alert('SloBurnsFast', 'page', 'cart', { slo: 'availability' }),
      alert('EventLoopBlocked', 'ticket', 'cart', { pod: 'a' }),
      alert('ServiceDown', 'page', 'gateway'),
      alert('DependencyFailing', 'none', 'gateway', { dependency: 'cart' }),
    ]);
    await eventually(() => expect(told()).toHaveLength(2), { withinMs: 30_000, everyMs: 200 });
    await sleep(3000);
    expect(told()).toEqual(['page of cart: SloBurnsFast', 'page of gateway: ServiceDown']);
  });
});

interface Sent {
  readonly labels: Readonly<Record<string, string>>;
}

function alert(name: string, severity: string, service: string | undefined, more: object = {}): Sent {
  const of = service === undefined ? {} : { namespace: 'shop', service };
  return { labels: { alertname: name, severity, ...of, ...more } };
}

interface Running extends AsyncDisposable {
  /** Takes the place of Prometheus. */
  readonly tell: (alerts: readonly Sent[]) => Promise<void>;
  /** What the webhooks got, in the order of the alphabet. */
  readonly told: () => readonly string[];
}

/** The Alertmanager with the configuration of the chart, with shorter waits and the files of its Secrets here. */
async function start(): Promise<Running> {
  const webhook = await startWebhook();
  const own = mkdtempSync(join(folder, 'run-'));
  for (const name of ['page', 'ticket']) {
    mkdirSync(join(own, name));
    writeFileSync(join(own, name, 'url'), `${webhook.url}/${name}\n`);
  }
  const config = configOf(byWebhook)
    .replaceAll(mounted, own)
    .replaceAll(/group_wait: (20s|1m)/g, 'group_wait: 2s');
  writeFileSync(join(own, 'alertmanager.yml'), config);
  const at = `127.0.0.1:${await freePort()}`;
  const args = ['--config.file=alertmanager.yml', '--storage.path=data', '--cluster.listen-address='];
  const daemon = startDaemon('alertmanager', tool('alertmanager'), {
    args: [...args, `--web.listen-address=${at}`],
    cwd: own,
  });
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://${at}${path}`, { ...init, signal: AbortSignal.timeout(5000) });
  await daemon.ready(
    () =>
      ask('/-/ready').then(
        (answer) => answer.ok,
        () => false,
      ),
    30_000,
  );
  return {
    tell: async (alerts) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await ask('/api/v2/alerts', { method: 'POST', headers, body: JSON.stringify(alerts) });
      expect(answer.status).toBe(200);
    },
    told: () => messagesOf(webhook),
    [Symbol.asyncDispose]: async () => {
      await daemon.end('SIGTERM');
      await webhook[Symbol.asyncDispose]();
    },
  };
}

const messagesOf = ({ got }: Webhook): readonly string[] =>
  got
    .map(({ path, body }) => {
      const alerts = body.alerts.map(({ labels }) => labels.alertname ?? '').sort();
      return `${path.slice(1)} of ${body.groupLabels.service ?? '-'}: ${alerts.join(', ')}`;
    })
    .sort();
