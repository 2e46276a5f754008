import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as ask } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readKubeconfig } from './kube-api.ts';
import { plainKubeconfig } from './plain-kubeconfig.ts';

export interface SeenRequest {
  readonly verb: 'get' | 'list' | 'watch' | 'apply' | 'patch' | 'create' | 'delete';
  /** The plural, with the subresource: `microservices/status`. */
  readonly resource: string;
  readonly name: string | undefined;
  readonly query: URLSearchParams;
  /** On the clock of `performance.now`. */
  readonly at: number;
  /** What the API server answered; undefined until it has. */
  status?: number;
}

/** What happens to a request instead of, or besides, being passed on. */
export type Fault =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** It is answered so only after so many milliseconds. */
      readonly afterMs?: number;
    }
  /** Cut before the API server hears of it. */
  | 'reset'
  /** Cut after the API server carried it out: nobody on this side knows. */
  | 'reset after'
  /** Passed on after so many milliseconds. */
  | { readonly delayMs: number };

/** Decides, for each request, whether something goes wrong with it. */
export type FaultRule = (request: SeenRequest) => Fault | undefined;

const changing = new Set<SeenRequest['verb']>(['apply', 'patch', 'create', 'delete']);

/** Sits between an operator and a real API server: sees every request, and can make everything go wrong. */
export class ApiProxy implements AsyncDisposable {
  /** A kubeconfig that leads through the proxy. */
  readonly kubeconfig: string;
  /** Every request so far. */
  readonly seen: SeenRequest[] = [];
  /** Connections that were opened so far. */
  connections = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), 'api-proxy-'));
  readonly #upstream: ReturnType<typeof readKubeconfig>;
  readonly #agent: Agent;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Map<ServerResponse, { readonly request: SeenRequest; readonly source: IncomingMessage }>();
  #rule: FaultRule = () => undefined;

  private constructor(target: string) {
    this.#upstream = readKubeconfig(target);
    this.#agent = new Agent({ keepAlive: true, ca: this.#upstream.ca });
    this.kubeconfig = join(this.#folder, 'kubeconfig');
  }

  /** Starts a proxy in front of the API server that the kubeconfig names. */
  static async start(kubeconfig: string): Promise<ApiProxy> {
    const proxy = new ApiProxy(kubeconfig);
    await proxy.#listen();
    return proxy;
  }

  readonly #server = createServer((incoming, outgoing) => {
    this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
  });

  /** How many connections are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  reads(): SeenRequest[] {
    return this.seen.filter(({ verb }) => verb === 'get' || verb === 'list');
  }

  writes(): SeenRequest[] {
    return this.seen.filter(({ verb, resource }) => changing.has(verb) && resource !== 'events');
  }

  /** From now on this rule decides what goes wrong; without one, nothing does. */
  break(rule: FaultRule = () => undefined): void {
    this.#rule = rule;
  }

  /** Cuts every open watch in the middle, as a vanishing network does. */
  cutWatches(): void {
    for (const response of this.#watches.keys()) response.socket?.resetAndDestroy();
  }

  /** Open watches, all or those of a resource, stay open, and nothing comes through them any more. */
  freezeWatches(resource?: string): void {
    for (const [response, { request, source }] of this.#watches) {
      if (resource === undefined || request.resource === resource) source.unpipe(response);
    }
  }

  /** Tells every open watch that its place in history is lost, in the way the API server does. */
  expireWatches(): void {
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    for (const [response, { source }] of this.#watches) {
      source.unpipe(response);
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
  }

  /** Sends bytes of its own down the open watches of a resource. */
  injectIntoWatches(resource: string, bytes: string): void {
    for (const [response, { request }] of this.#watches) {
      if (request.resource === resource) response.write(bytes);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
    await closed;
  }

  async #listen(): Promise<void> {
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    writeFileSync(this.kubeconfig, plainKubeconfig(`http://127.0.0.1:${port}`));
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = describe(incoming);
    this.seen.push(request);
    const fault = this.#rule(request);
    if (fault === 'reset') {
      incoming.socket.resetAndDestroy();
    } else if (fault === 'reset after') {
      const answer = await this.#passOn(incoming);
      await answer.resume().toArray();
      incoming.socket.resetAndDestroy();
    } else if (fault !== undefined && 'status' in fault) {
      incoming.resume();
      if (fault.afterMs !== undefined) await sleep(fault.afterMs);
      outgoing.writeHead(fault.status, fault.headers).end(fault.body ?? '');
    } else {
      if (fault !== undefined) await sleep(fault.delayMs);
      this.#answer(request, await this.#passOn(incoming), outgoing);
    }
  }

  #answer(request: SeenRequest, answer: IncomingMessage, outgoing: ServerResponse): void {
    if (answer.statusCode !== undefined) request.status = answer.statusCode;
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    outgoing.flushHeaders();
    answer.pipe(outgoing);
    answer.once('error', () => outgoing.destroy());
    if (request.verb !== 'watch') return;
    this.#watches.set(outgoing, { request, source: answer });
    outgoing.once('close', () => {
      this.#watches.delete(outgoing);
      answer.destroy();
    });
  }

  #passOn(incoming: IncomingMessage): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { server, token } = this.#upstream;
    const { host: _, connection: __, ...headers } = incoming.headers;
    const asked = ask(server + incoming.url, {
      method: incoming.method ?? 'GET',
      agent: this.#agent,
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    asked.once('response', resolve).once('error', reject);
    incoming.pipe(asked);
    return promise;
  }
}

function describe(incoming: IncomingMessage): SeenRequest {
  const url = new URL(incoming.url ?? '', 'http://proxy');
  const parts = url.pathname.split('/').slice(url.pathname.startsWith('/api/') ? 3 : 4);
  const [plural = '', name, subresource] = parts[0] === 'namespaces' && parts.length > 2 ? parts.slice(2) : parts;
  return {
    verb: verbOf(incoming, url, name),
    resource: subresource === undefined ? plural : `${plural}/${subresource}`,
    name,
    query: url.searchParams,
    at: performance.now(),
  };
}

function verbOf({ method, headers }: IncomingMessage, url: URL, name: string | undefined): SeenRequest['verb'] {
  if (method === 'POST') return 'create';
  if (method === 'DELETE') return 'delete';
  if (method === 'PATCH') return headers['content-type']?.includes('apply-patch') ? 'apply' : 'patch';
  if (url.searchParams.has('watch')) return 'watch';
  return name === undefined ? 'list' : 'get';
}
