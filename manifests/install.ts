import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { client } from '../cluster/clients.ts';
import type { Cluster, References } from '../cluster/cluster.ts';
import { withLocalImages } from '../cluster/images.ts';
import { type Kubectl, kubectl } from '../cluster/kubectl.ts';
import { cacheFolder, repository } from '../cluster/paths.ts';
import type { Step } from '../cluster/progress.ts';
import { run } from '../cluster/run.ts';
import { waitFor } from '../cluster/wait-for.ts';

export const chart = join(repository, 'charts/microservice-platform');
export const release = 'microservice-platform';
export const platformNamespace = 'microservice-platform';
export const shopNamespace = 'shop';

/** Installs the chart and the shop, and waits until every Microservice is Ready. Changes nothing that is as it should be. */
export async function installPlatform(cluster: Cluster, images: References, step: Step): Promise<void> {
  const cli = kubectl(cluster.kubeconfig);
  await step('install the chart', () => installChart(cluster, cli, images));
  await step('apply the shop', () => applyShop(cli, images));
  await step('wait for every Microservice', (note) => waitForMicroservices(cli, note));
}

/** Takes away what `installPlatform` brought, and nothing that was there before it. Nothing to do where nothing is. */
export async function uninstallPlatform(kubeconfig: string): Promise<void> {
  const cli = kubectl(kubeconfig);
  await releaseOf(kubeconfig, cli);
  const remove = (...what: string[]) =>
    cli.run(['delete', ...what, '--ignore-not-found', '--timeout=120s'], 150_000).then(() => {});
  // Without the definition there is no kind of that name, and then no Microservice either.
  const files = globSync('*.yaml', { cwd: shop }).filter((file) => file !== namespaceFile);
  for (const file of files) await remove('-n', shopNamespace, '-f', join(shop, file)).catch(ignoreUnknownKind);
  await remove('persistentvolumeclaims', '-n', shopNamespace, '-l', 'app.kubernetes.io/part-of=shop');
  await remove('secrets', '-n', shopNamespace, '-l', madeHere);
  await helm(kubeconfig, ['uninstall', release, '--ignore-not-found', '--wait', '--timeout', '2m']);
  await removeDefinition(cli);
  await remove('namespaces', '-l', madeHere);
}

/** The definition outlives the release, for whoever has Microservices of their own. Where nobody has, it goes. */
async function removeDefinition(cli: Kubectl): Promise<void> {
  const name = 'microservices.microservice-platform.io';
  const owner = '-o=jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-namespace}';
  if ((await cli.get(['crd', name, '--ignore-not-found', owner])) !== platformNamespace) return;
  const left = (await cli.get([name, '-A', '-o', 'name'])).trim();
  if (left === '') await cli.run(['delete', 'crd', name, '--timeout=60s'], 90_000);
  else console.error(`    the definition of Microservice stays, as others use it: ${left.split('\n').join(', ')}`);
}

function ignoreUnknownKind(error: Error): void {
  if (!/no matches for kind|doesn't have a resource type/.test(error.message)) throw error;
}

/**
 * What Helm says of the release, where there is one. It is ours in a namespace that was made here, or by its description.
 * @throws Error when somebody else installed it
 */
async function releaseOf(kubeconfig: string, cli: Kubectl): Promise<ReleaseInfo | undefined> {
  const found = await helm(kubeconfig, ['status', release, '--output', 'json']).catch((error: Error) => {
    if (!error.message.includes('not found')) throw error;
    return '{}';
  });
  const { info } = JSON.parse(found) as { info?: ReleaseInfo };
  if (info === undefined || info.status !== 'deployed' || info.description.startsWith(ours)) return info;
  if ((await cli.get(['namespaces', '-l', madeHere, '-o', 'name'])).includes(`namespace/${platformNamespace}`))
    return info;
  throw new Error(
    `the release ${release} in the namespace ${platformNamespace} was not installed by make up, and is left as it is: helm uninstall removes it`,
  );
}

interface ReleaseInfo {
  readonly status: string;
  readonly description: string;
}

/** How the description of a release begins that was installed here. */
const ours = 'content ';

/** Runs Helm in the namespace of the platform, with folders of its own; gives what it says. */
export function helm(kubeconfig: string, args: readonly string[], input?: string): Promise<string> {
  const folder = join(cacheFolder(process.env), 'helm');
  return run(client('helm'), ['--kubeconfig', kubeconfig, '--namespace', platformNamespace, ...args], {
    timeoutMs: 360_000,
    env: { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder },
    ...(input === undefined ? {} : { input }),
  });
}

async function installChart({ kubeconfig, way }: Cluster, cli: Kubectl, images: References): Promise<void> {
  await makeNamespace(cli, platformNamespace);
  const values = JSON.stringify(chartValues(images));
  const more = clusterWide(way);
  const content = contentOf(values + more.join(''));
  const info = await releaseOf(kubeconfig, cli);
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
    kubeconfig,
    [
      ...['upgrade', release, chart, '--install', '--values', '-', ...more],
      ...['--description', content, '--wait', '--timeout', '5m'],
    ],
    values,
  );
}

/** A cluster has one custom metrics API: it is served in a cluster of our own making, and in somebody's only when they ask. */
const clusterWide = (way: Cluster['way']) => (way === 'context' ? [] : ['--set', 'customMetrics.enabled=true']);

/** On what was made here, and may therefore be taken away again. */
const madeHere = 'app.kubernetes.io/managed-by=microservice-platform-installer';
const madeHereLabel = Object.fromEntries([madeHere.split('=')]);

/** Makes a namespace, or leaves the one that is there as it is. */
async function makeNamespace(cli: Kubectl, name: string): Promise<void> {
  if ((await cli.get(['namespace', name, '--ignore-not-found', '-o', 'name'])) !== '') return;
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', ...madeHereLabel };
  await cli.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
}

/** The components of the chart, by the image that it names for each. */
const components = {
  operator: 'ghcr.io/microservice-platform/operator',
  jaeger: 'docker.io/jaegertracing/jaeger',
  prometheus: 'docker.io/prom/prometheus',
  loki: 'docker.io/grafana/loki',
  alertmanager: 'docker.io/prom/alertmanager',
  customMetrics: 'registry.k8s.io/prometheus-adapter/prometheus-adapter',
} as const;

/** The chart's values for images that stand in for those that it names. */
export function chartValues(images: References): Readonly<Record<string, unknown>> {
  const replaced = Object.entries(components).flatMap(([component, repositoryName]) => {
    const [, name, tag] = /^(.+?):([^:/@]+(?:@.+)?)$/.exec(images.get(repositoryName) ?? '') ?? [];
    return name === undefined ? [] : [[component, { image: { repository: name, tag } }]];
  });
  return { ...Object.fromEntries(replaced), ...(bringsGrafana(images) ? {} : { grafana: { mode: 'none' } }) };
}

/** Grafana's image can be pulled and not built: it is left out where the others of its kind were built. */
export const bringsGrafana = (images: References) => !images.has(components.prometheus);

function contentOf(values: string): string {
  const hash = createHash('sha256').update(values);
  for (const file of globSync('**/*.*', { cwd: chart }).sort())
    hash.update(file).update(readFileSync(join(chart, file)));
  return `${ours}${hash.digest('hex').slice(0, 16)}`;
}

/** The Secrets of the shop: a name, and how each key comes about when the Secret is absent. */
export const shopSecrets: Readonly<Record<string, () => Readonly<Record<string, string>>>> = {
  rabbitmq: () => ({ username: 'shop', password: password() }),
  'user-service-db': credentials('users'),
  'user-service-keys': () => ({ jwks: JSON.stringify({ keys: [signingKey()] }) }),
  'product-service-db': credentials('product'),
  'order-service-db': credentials('orders'),
  'inventory-service-db': credentials('inventory'),
  'payment-service-db': credentials('payment'),
  'notification-service-db': credentials('notification'),
  'analytics-service-db': credentials('analytics'),
};

function password(): string {
  return randomBytes(18).toString('base64url');
}

/** A role and a database of the same name. */
function credentials(name: string) {
  return () => ({ username: name, database: name, password: password() });
}

/** A private key for tokens, as a JWK. */
function signingKey(): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), alg: 'ES256', use: 'sig' };
}

async function applyShop(cli: Kubectl, images: References): Promise<void> {
  await makeNamespace(cli, shopNamespace);
  await createMissingSecrets(cli);
  await cli.apply(shopManifests(images));
}

const shop = join(repository, 'manifests/shop');
const namespaceFile = '00-namespace.yaml';

/** The shop with images that stand in for those that it names; without its namespace and its Secrets. */
export function shopManifests(images: References): string {
  const files = globSync('*.yaml', { cwd: shop }).sort();
  const manifests = files
    .filter((file) => file !== namespaceFile)
    .map((file) => readFileSync(join(shop, file), 'utf8'));
  return withLocalImages(manifests.join('\n---\n'), images);
}

async function createMissingSecrets(cli: Kubectl): Promise<void> {
  const present = new Set((await cli.get(['secrets', '-n', shopNamespace, '-o', 'name'])).trim().split('\n'));
  const missing = Object.entries(shopSecrets).filter(([name]) => !present.has(`secret/${name}`));
  const manifests = missing.map(([name, make]) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: shopNamespace, labels: madeHereLabel },
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
  await waitFor(
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
