import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, type Dispatcher } from 'undici';
import type { Log } from '../database/postgres.ts';
import { jsonLines } from '../etcd/json-lines.ts';
import type { MirrorChange, MirrorSource } from '../etcd/mirror.ts';
import { type EndpointSlice, instancesIn } from './endpoint-slices.ts';
import { followedServices } from './followed-services.ts';
import { checkServiceInfo, type ServiceRegistry } from './service-registry.ts';

export interface KubernetesRegistryOptions {
  readonly log: Log;
  readonly server?: string;
  /** The folder of the pod's account: `token`, which is renewed there, `ca.crt` and `namespace`. */
  readonly account?: string;
  /** Which port of a service is meant, where it has several. */
  readonly portName?: string;
}

const answerMs = 5_000;
/** The API server ends a watch after so long, and we begin the next: a connection that died is noticed soon after. */
const watchSeconds = 60;
const maxSliceBytes = 1024 * 1024;
const maxListBytes = 16 * maxSliceBytes;

/**
 * The registry that a cluster has anyway: the EndpointSlices of a Service are its instances. Needs the right to `list`
 * and `watch` them in the namespace of the pod.
 *
 * `register` and `deregister` do nothing but check their arguments: the cluster registers a pod when it is ready and
 * takes it out when it is not, when it is told to stop, or when its node is lost. It knows better than the pod.
 */
export function kubernetesRegistry(options: KubernetesRegistryOptions): ServiceRegistry {
  const { log, portName = 'http' } = options;
  const api = apiServer(options);
  const services = followedServices({
    source: (name) => slicesOf(api, name),
    instancesOf: (slices, name) => instancesIn(slices.values(), name, portName),
    log,
  });
  return {
    ...services,
    register: async (info) => checkServiceInfo(info),
    deregister: async () => undefined,
    close: async () => {
      await services.close();
      await api.close();
    },
  };
}

interface Ask {
  readonly query: Readonly<Record<string, string>>;
  /** The longest silence. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

type Body = Dispatcher.ResponseData['body'];

function slicesOf(api: ApiServer, name: string): MirrorSource<EndpointSlice, string> {
  const labelSelector = `kubernetes.io/service-name=${name}`;
  return {
    list: async () => {
      const signal = AbortSignal.timeout(answerMs);
      const list = await listIn(await api.slices({ query: { labelSelector }, silenceMs: answerMs, signal }));
      const entries = new Map((list.items ?? []).map((slice) => [slice.metadata.name, slice]));
      return { entries, position: list.metadata.resourceVersion };
    },
    watch: async (resourceVersion, onChange, signal) => {
      const query = { labelSelector, watch: '1', resourceVersion, timeoutSeconds: String(watchSeconds) };
      const silenceMs = watchSeconds * 1000 + answerMs;
      try {
        const body = await api.slices({ query, silenceMs, signal });
        for await (const event of jsonLines(body, maxSliceBytes)) onChange([changeOf(event as WatchEvent)]);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

interface SliceList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items?: readonly EndpointSlice[];
}

async function listIn(body: Body): Promise<SliceList> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxListBytes) throw new Error(`the list of EndpointSlices is longer than ${maxListBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as SliceList;
}

type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: EndpointSlice }
  | { readonly type: 'ERROR'; readonly object: { readonly message?: string } };

/** @throws Error when the API server cannot go on from here: what there is must be listed anew */
function changeOf(event: WatchEvent): MirrorChange<EndpointSlice> {
  if (event.type === 'ERROR') throw new Error(`the API server ended the watch: ${event.object.message ?? 'no reason'}`);
  const key = event.object.metadata.name;
  return event.type === 'DELETED' ? { type: 'delete', key } : { type: 'put', key, value: event.object };
}

interface ApiServer {
  readonly slices: (ask: Ask) => Promise<Body>;
  readonly close: () => Promise<void>;
}

/** The API server as the pod's account sees it. Nothing of the account is read before it is needed. */
function apiServer({
  server = 'https://kubernetes.default.svc',
  account = '/var/run/secrets/kubernetes.io/serviceaccount',
}: KubernetesRegistryOptions): ApiServer {
  const read = async (file: string) => (await readFile(join(account, file), 'utf8')).trim();
  let agent: Promise<Agent> | undefined;
  const connect = async () => {
    const ca = await read('ca.crt');
    return new Agent({ connect: { ca, timeout: answerMs }, headersTimeout: answerMs, allowH2: false });
  };
  return {
    slices: async ({ query, silenceMs, signal }) => {
      const [namespace, token] = await Promise.all([read('namespace'), read('token')]);
      agent ??= connect();
      const dispatcher = await agent.catch((error: unknown) => {
        agent = undefined;
        throw error;
      });
      const answer = await dispatcher.request({
        origin: server,
        path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${new URLSearchParams(query).toString()}`,
        method: 'GET',
        headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
        bodyTimeout: silenceMs,
        signal,
      });
      if (answer.statusCode === 200) return answer.body;
      await answer.body.dump({ limit: maxSliceBytes });
      throw new Error(`the API server answered ${answer.statusCode}: may the account list and watch EndpointSlices?`);
    },
    close: async () => await (await agent)?.destroy(),
  };
}
