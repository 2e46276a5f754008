import { createHash, randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../cluster/eventually.ts';
import { type LocalImages, withLocalImages } from '../cluster/images.ts';
import { type Kubectl, kubectl } from '../cluster/kubectl.ts';
import { cacheFolder, repository } from '../cluster/paths.ts';
import type { Step } from '../cluster/progress.ts';
import { run } from '../cluster/run.ts';
import { tool } from '../cluster/toolchain.ts';

const chart = join(repository, 'charts/microservice-platform');
const release = 'microservice-platform';
export const platformNamespace = 'microservice-platform';
export const shopNamespace = 'shop';

/** Installs the chart and the shop, and waits until every Microservice is Ready. Changes nothing that is as it should be. */
export async function installPlatform(cluster: Cluster, images: LocalImages, step: Step): Promise<void> {
  const cli = kubectl(cluster.kubeconfig);
  await step('install the chart', () => installChart(cluster, cli, images));
  await step('apply the shop', () => applyShop(cli, images));
  await step('wait for every Microservice', (note) => waitForMicroservices(cli, note));
}

async function installChart(cluster: Cluster, cli: Kubectl, images: LocalImages): Promise<void> {
  await cli.apply(namespace(platformNamespace));
  const values = JSON.stringify(chartValues(images));
  const content = contentOf(values);
  const helmFolder = join(cacheFolder(process.env), 'helm');
  const helm = (args: readonly string[], input?: string) =>
    run(tool('helm'), ['--kubeconfig', cluster.kubeconfig, '--namespace', platformNamespace, ...args], {
      timeoutMs: 360_000,
      env: {
        ...process.env,
        HELM_CACHE_HOME: helmFolder,
        HELM_CONFIG_HOME: helmFolder,
        HELM_DATA_HOME: helmFolder,
      },
      ...(input === undefined ? {} : { input }),
    });
  // It fails where there is no release yet.
  const found = await helm(['status', release, '--output', 'json']).catch(() => '{}');
  const { info } = JSON.parse(found) as { info?: { status: string; description: string } };
  if (info?.status === 'deployed' && info.description === content) return;
  if (info?.status.startsWith('pending-')) {
    // An interrupted install holds the release for ever; its objects stay and are taken over.
    await cli.run([
      'delete',
      'secret',
      '-n',
      platformNamespace,
      '-l',
      `owner=helm,name=${release},status=${info.status}`,
    ]);
  }
  await helm(
    ['upgrade', release, chart, '--install', '--values', '-', '--description', content, '--wait', '--timeout', '5m'],
    values,
  );
}

function namespace(name: string): string {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}

/** The chart's values for images that were built here. */
function chartValues({ references }: LocalImages) {
  const image = (repositoryName: string) => {
    const [, name = '', tag = ''] = /^(.*):([^:]+)$/.exec(references.get(repositoryName) ?? '') ?? [];
    return { image: { repository: name, tag } };
  };
  return {
    operator: image('ghcr.io/microservice-platform/operator'),
    jaeger: image('docker.io/jaegertracing/jaeger'),
    prometheus: image('docker.io/prom/prometheus'),
    // Grafana cannot be built from its modules, so where images are built there is none.
    grafana: { mode: 'none' },
  };
}

function contentOf(values: string): string {
  const hash = createHash('sha256').update(values);
  for (const file of globSync('**/*.*', { cwd: chart }).sort())
    hash.update(file).update(readFileSync(join(chart, file)));
  return `content ${hash.digest('hex').slice(0, 16)}`;
}

/** The Secrets of the shop: a name, and how each key comes about when the Secret is absent. */
const secrets: Readonly<Record<string, () => Readonly<Record<string, string>>>> = {
  rabbitmq: () => ({ username: 'shop', password: password() }),
  'product-service-db': () => ({ username: 'product', database: 'product', password: password() }),
  'order-service-db': () => ({ username: 'orders', database: 'orders', password: password() }),
  'notification-service-db': () => ({
    username: 'notification',
    database: 'notification',
    password: password(),
  }),
};

const password = () => randomBytes(18).toString('base64url');

async function applyShop(cli: Kubectl, images: LocalImages): Promise<void> {
  const folder = join(repository, 'manifests/shop');
  const files = globSync('*.yaml', { cwd: folder }).sort();
  const manifests = files
    .filter((file) => file !== 'kustomization.yaml')
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  await cli.apply(namespace(shopNamespace));
  await createMissingSecrets(cli);
  await cli.apply(withLocalImages(manifests.join('\n---\n'), images.references));
}

async function createMissingSecrets(cli: Kubectl): Promise<void> {
  const present = new Set((await cli.get(['secrets', '-n', shopNamespace, '-o', 'name'])).trim().split('\n'));
  const missing = Object.entries(secrets).filter(([name]) => !present.has(`secret/${name}`));
  const manifests = missing.map(([name, make]) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: shopNamespace },
      stringData: make(),
    }),
  );
  // Over standard input: an argument list can be read by every user of the machine.
  if (manifests.length > 0) await cli.create(manifests.join('\n---\n'));
}

interface MicroserviceList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly generation: number };
    readonly status?: {
      readonly observedGeneration?: number;
      readonly conditions?: readonly {
        readonly type: string;
        readonly status: string;
        readonly message?: string;
      }[];
    };
  }[];
}

async function waitForMicroservices(cli: Kubectl, note: (line: string) => void): Promise<void> {
  let waiting: string[] = [];
  await eventually(
    'every Microservice to be Ready (kubectl get microservices -A -o wide tells why it is not)',
    async () => {
      const list: MicroserviceList = JSON.parse(await cli.get(['microservices', '-n', shopNamespace, '-o', 'json']));
      waiting = list.items
        .filter((item) => !isReady(item))
        .map((item) => `${item.metadata.name}: ${readyMessage(item)}`);
      note(waiting.join('; '));
      return list.items.length > 0 && waiting.length === 0;
    },
    { timeoutMs: 300_000, everyMs: 500 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}\n${waiting.join('\n')}`);
  });
}

type MicroserviceItem = MicroserviceList['items'][number];

const readyOf = ({ status }: MicroserviceItem) => status?.conditions?.find((condition) => condition.type === 'Ready');

function isReady(item: MicroserviceItem): boolean {
  return readyOf(item)?.status === 'True' && item.status?.observedGeneration === item.metadata.generation;
}

const readyMessage = (item: MicroserviceItem) => readyOf(item)?.message ?? 'not seen by the operator yet';
