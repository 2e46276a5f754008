import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { microserviceLabel } from '../../operator/src/api/labels.ts';
import type { ControlPlane } from './control-plane.ts';
import type { KubeApi } from './kube-api.ts';

/** One run of a container, and what it wrote. */
interface Run {
  readonly id: string;
  readonly lines: { readonly time: bigint; readonly text: string }[];
  endedAt: Date | undefined;
  news: PromiseWithResolvers<void>;
}

let runs = 0;
let last = 0n;

/** The time as a node writes it, to the nanosecond, never the same twice. */
function now(): bigint {
  const time = BigInt(Date.now()) * 1_000_000n;
  last = time > last ? time : last + 1n;
  return last;
}

const stamp = (time: bigint) =>
  `${new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19)}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`;

/**
 * A container of a played pod. Its log is asked for as a real one is: the client asks the API server, and that asks the
 * kubelet of the node.
 */
export class PlayedContainer {
  readonly #all: Run[] = [];
  readonly #report: () => Promise<void>;
  readonly name: string;

  constructor(name: string, report: () => Promise<void>) {
    this.name = name;
    this.#report = report;
  }

  async begin(): Promise<void> {
    this.#all.push({ id: `containerd://${++runs}`, lines: [], endedAt: undefined, news: Promise.withResolvers() });
    await this.#report();
  }

  write(...texts: readonly string[]): void {
    const run = this.#all.at(-1);
    if (run === undefined) throw new Error(`${this.name} does not run`);
    for (const text of texts) run.lines.push({ time: now(), text });
    tell(run);
  }

  async end(): Promise<void> {
    const run = this.#all.at(-1);
    if (run === undefined) return;
    run.endedAt = new Date();
    tell(run);
    await this.#report();
  }

  status(): object {
    const [previous, current] = [this.#all.at(-2), this.#all.at(-1)];
    const stateOf = (run: Run | undefined) => {
      if (run === undefined) return {};
      if (run.endedAt === undefined) return { running: { startedAt: new Date().toISOString() } };
      return { terminated: { exitCode: 1, containerID: run.id, finishedAt: run.endedAt.toISOString() } };
    };
    return {
      name: this.name,
      image: 'played',
      imageID: 'played',
      ready: true,
      restartCount: Math.max(0, this.#all.length - 1),
      ...(current && { containerID: current.id }),
      state: stateOf(current),
      lastState: stateOf(previous),
    };
  }

  /** Writes the log as the kubelet does, no faster than it is read. */
  async answer(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const run = this.#all.at(query.get('previous') === 'true' ? -2 : -1);
    if (run === undefined) return void response.writeHead(400).end('previous terminated container not found');
    const since = BigInt(Date.parse(query.get('sinceTime') ?? '1970-01-01T00:00:00Z')) * 1_000_000n;
    let open = true;
    response.once('close', () => {
      open = false;
      tell(run);
    });
    for (let at = 0; open; ) {
      const line = run.lines[at];
      if (line !== undefined) {
        at += 1;
        if (line.time < since) continue;
        if (!response.write(`${stamp(line.time)} ${line.text}\n`)) {
          await room(response);
        }
      } else if (run.endedAt !== undefined || query.get('follow') !== 'true') break;
      else await run.news.promise;
    }
    response.end();
  }
}

/** Resolves when the reader has taken what was written, or is gone. */
function room(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}

function tell(run: Run): void {
  run.news.resolve();
  run.news = Promise.withResolvers();
}

/** A node whose kubelet answers for the logs of pods that nobody runs. The API server takes it for a real one. */
export class PlayedKubelet implements AsyncDisposable {
  readonly #api: KubeApi;
  readonly #server: Server;
  readonly #containers = new Map<string, PlayedContainer>();
  readonly node: string;

  private constructor(api: KubeApi, server: Server, node: string) {
    this.#api = api;
    this.#server = server;
    this.node = node;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response));
  }

  static async start(plane: ControlPlane, api: KubeApi): Promise<PlayedKubelet> {
    const file = (name: string) => readFileSync(join(plane.folder, 'pki', name));
    const server = createServer({ cert: file('kubelet.crt'), key: file('kubelet.key') });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const node = `played-${port}`;
    await api.post('/api/v1/nodes', { metadata: { name: node } });
    await api.patch(`/api/v1/nodes/${node}/status`, {
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    });
    return new PlayedKubelet(api, server, node);
  }

  /** A pod of a Microservice, whose containers run. The first is the one of the service. */
  async pod(
    { namespace, name, service }: Readonly<Record<'namespace' | 'name' | 'service', string>>,
    others: readonly string[] = [],
  ): Promise<readonly PlayedContainer[]> {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const names = [service, ...others];
    // Where no controller makes the account that every pod has.
    await this.#api.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
    await this.#api.post(path, {
      metadata: { name, labels: { [microserviceLabel]: service } },
      spec: { nodeName: this.node, containers: names.map((each) => ({ name: each, image: 'played' })) },
    });
    const containers: PlayedContainer[] = [];
    const report = async () => {
      const containerStatuses = containers.map((container) => container.status());
      await this.#api.patch(`${path}/${name}/status`, { status: { phase: 'Running', containerStatuses } });
    };
    for (const each of names) {
      const container = new PlayedContainer(each, report);
      containers.push(container);
      this.#containers.set(`/containerLogs/${namespace}/${name}/${each}`, container);
    }
    for (const container of containers) await container.begin();
    return containers;
  }

  /** Ends every answer that is under way. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://kubelet');
    const container = this.#containers.get(pathname);
    if (container === undefined) response.writeHead(404).end();
    else await container.answer(searchParams, response);
  }
}
