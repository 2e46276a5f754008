import { waitFor } from '../../cluster/wait-for.ts';
import { chart, helm, platformNamespace, release } from '../../manifests/install.ts';
import { cli, cluster, read } from './cluster.ts';
import type { Notification } from './webhook.ts';

const name = 'alert-webhook';
const namespace = 'shop';

/** Keeps what it is sent, with the moment, and gives it to whoever asks. */
const program = `
const { createServer } = require('node:http');
const { json } = require('node:stream/consumers');
const got = [];
createServer(async (request, response) => {
  if (request.method === 'POST') got.push({ at: Date.now(), path: request.url, body: await json(request) });
  response.end(request.url === '/got' ? JSON.stringify(got) : 'ok');
}).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

/** One message, and when (ms since the epoch) it was there. */
export interface Told {
  readonly at: number;
  readonly path: string;
  readonly body: Notification;
}

/** An image with Node that is in the cluster. */
export async function nodeImage(): Promise<string> {
  const { spec } = await read<{ spec: { image: string } }>('microservice', namespace, 'api-gateway');
  return spec.image;
}

/**
 * Puts a webhook into the cluster, and has the Alertmanager of the release tell it of pages and tickets, until it is disposed
 * of: then the release has the values from before, and nobody is told.
 */
export async function startAlertWebhook(): Promise<AsyncDisposable> {
  const url = `http://${name}.${namespace}.svc:8080`;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: platformNamespace } };
  const microservice = {
    apiVersion: 'microservice-platform.io/v1alpha1',
    kind: 'Microservice',
    metadata: { name, namespace },
    spec: {
      image: await nodeImage(),
      command: ['node', '--eval', program],
      // Not named http: it has no metrics.
      ports: [{ name: 'web', containerPort: 8080 }],
      resources: { requests: { cpu: '10m' } },
    },
  };
  const stringData = { page: `${url}/page`, ticket: `${url}/ticket` };
  await cli.apply([microservice, { ...secret, stringData }].map((each) => JSON.stringify(each)).join('\n---\n'));
  const to = (urlKey: string) => ({ secret: name, webhook: { urlKey } });
  const before = await helm(cluster.kubeconfig, ['get', 'values', release, '--output', 'json']);
  const { info } = JSON.parse(await helm(cluster.kubeconfig, ['status', release, '--output', 'json']));
  await upgrade(
    ['--reuse-values'],
    JSON.stringify({ alertmanager: { receivers: { page: to('page'), ticket: to('ticket') } } }),
  );
  await cli.waitFor(`microservice/${name}`, 'Ready', { namespace, timeoutMs: 120_000 });
  await waitFor('the webhook to answer', () => told().then(() => true));
  return {
    [Symbol.asyncDispose]: async () => {
      // By its description `make up` knows that there is nothing to do.
      await upgrade(['--reset-values', '--description', info.description], before);
      await cli.run(['delete', 'microservice', name, '-n', namespace, '--ignore-not-found']);
      await cli.run(['delete', 'secret', name, '-n', platformNamespace, '--ignore-not-found']);
    },
  };
}

/** All that it was sent. */
export async function told(): Promise<readonly Told[]> {
  const path = `/api/v1/namespaces/${namespace}/services/${name}:8080/proxy/got`;
  return JSON.parse(await cli.run(['get', '--raw', path]));
}

/** The release with these values, in JSON, beside those that it has or in their place. */
async function upgrade(options: readonly string[], values: string): Promise<void> {
  const more = [...options, '--values', '-', '--wait', '--timeout', '4m'];
  await helm(cluster.kubeconfig, ['upgrade', release, chart, ...more], values);
}
