import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as ask } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { readKubeconfig } from '../support/kube-api.ts';
import { plainKubeconfig } from '../support/plain-kubeconfig.ts';
import { type Asked, askedBy, isWrite } from './asked.ts';
import { type LineFault, type LineFaults, namespaceIn, WatchStream } from './watch-stream.ts';

/** The moments of a write at which the operator can be killed. */
export type CrashPoint =
  /** The API server never hears of it. */
  | 'before the write'
  /** The API server has carried it out, and the operator never hears of it. */
  | 'after the commit'
  /** The operator has just heard. */
  | 'after the answer';

/** What happens to one request. `after`: once the API server has carried it out. */
export type Mishap =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly reason: string;
      readonly retryAfterS?: number;
      readonly after?: true;
    }
  | { readonly kind: 'reset'; readonly after?: true }
  /** Never answered. */
  | { readonly kind: 'stall' }
  | { readonly kind: 'crash'; readonly when: CrashPoint };

/** Decides, for each request, whether something goes wrong with it. */
export type Rule = (asked: Asked) => Mishap | undefined;

/** So long an operator may know of an answer before it is killed. */
const answerKnownMs = 2;
/** Lines of each resource that can be told once more. */
const linesKept = 200;

/** Stands between the operator and a real API server; what goes wrong is decided by rules, and for watches line by line. */
export class FaultyApi implements AsyncDisposable {
  /** A kubeconfig that leads through here. */
  readonly kubeconfig: string;
  /** Every request so far. */
  readonly asked: Asked[] = [];
  /** The watches that are open. */
  readonly watches = new Set<WatchStream>();
  /** The writes among them, by namespace. */
  readonly #writes = new Map<string, Asked[]>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'faulty-api-'));
  readonly #upstream: ReturnType<typeof readKubeconfig>;
  readonly #agent: Agent;
  readonly #crash: () => void;
  readonly #sockets = new Set<Socket>();
  readonly #rules = new Set<Rule>();
  readonly #lineFaults = new Map<string, { readonly namespace: string; readonly fault: LineFault }[]>();
  readonly #told = new Map<string, string[]>();

  private constructor(target: string, crash: () => void) {
    this.#upstream = readKubeconfig(target);
    this.#agent = new Agent({ keepAlive: true, ca: this.#upstream.ca });
    this.#crash = crash;
    this.kubeconfig = join(this.#folder, 'kubeconfig');
  }

  /**
   * Starts one in front of the API server that the kubeconfig names.
   * @param crash kills the operator, at once
   */
  static async start(kubeconfig: string, crash: () => void): Promise<FaultyApi> {
    const proxy = new FaultyApi(kubeconfig, crash);
    await proxy.#listen();
    return proxy;
  }

  readonly #server = createServer((incoming, outgoing) => {
    this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
  });

  /** The writes to a namespace so far. */
  writesTo(namespace: string): readonly Asked[] {
    return this.#writes.get(namespace) ?? [];
  }

  /** Adds a rule; the first that has something to say counts. Gives what takes it away again. */
  add(rule: Rule): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** Has something happen to the next line that a watch of the resource tells about the namespace. */
  onNextLine(resource: string, namespace: string, fault: LineFault): void {
    this.#lineFaultsOf(resource).push({ namespace, fault });
  }

  /** The line fault that was asked for has happened. */
  hasStruck(resource: string, namespace: string): boolean {
    return !this.#lineFaultsOf(resource).some((each) => each.namespace === namespace);
  }

  /** What has not happened to a line about the namespace yet is not to happen any more. */
  forgetLineFaults(resource: string, namespace: string): void {
    const faults = this.#lineFaultsOf(resource);
    for (let at = faults.length - 1; at >= 0; at -= 1) if (faults[at]?.namespace === namespace) faults.splice(at, 1);
  }

  /** The open watches of a resource. */
  watchesOf(resource: string): WatchStream[] {
    return [...this.watches].filter(({ resource: of, isOver }) => of === resource && !isOver);
  }

  /** Waits until the resource is watched. */
  async opened(resource: string): Promise<void> {
    await eventually(
      () => {
        if (this.watchesOf(resource).length === 0) throw new Error(`the watch of ${resource} was not opened anew`);
      },
      { withinMs: 30_000 },
    );
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
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    writeFileSync(this.kubeconfig, plainKubeconfig(`http://127.0.0.1:${port}`));
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const asked = askedBy(incoming);
    this.#note(asked);
    const mishap = this.#mishapFor(asked);
    switch (mishap?.kind) {
      case undefined:
        return this.#answer(asked, await this.#passOn(incoming), outgoing);
      case 'stall':
        return void incoming.resume();
      case 'reset':
        if (mishap.after) await this.#carryOut(incoming);
        return void incoming.socket.resetAndDestroy();
      case 'answer':
        if (mishap.after) await this.#carryOut(incoming);
        else incoming.resume();
        return refuse(mishap, outgoing);
      case 'crash':
        return this.#crashAt(mishap.when, incoming, outgoing);
    }
  }

  #note(asked: Asked): void {
    this.asked.push(asked);
    if (asked.namespace === undefined || !isWrite(asked)) return;
    const writes = this.#writes.get(asked.namespace) ?? [];
    this.#writes.set(asked.namespace, writes);
    writes.push(asked);
  }

  #mishapFor(asked: Asked): Mishap | undefined {
    for (const rule of this.#rules) {
      const mishap = rule(asked);
      if (mishap !== undefined) return mishap;
    }
    return undefined;
  }

  async #crashAt(when: CrashPoint, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (when !== 'before the write') {
      const { status, headers, body } = await this.#carryOut(incoming);
      if (when === 'after the answer') {
        await new Promise<void>((resolve) => outgoing.writeHead(status, headers).end(body, () => resolve()));
        await sleep(answerKnownMs);
      }
    }
    this.#crash();
    incoming.socket.destroy();
  }

  async #answer(asked: Asked, answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    outgoing.flushHeaders();
    answer.once('error', () => outgoing.destroy());
    if (asked.verb !== 'watch' || answer.statusCode !== 200) return void answer.pipe(outgoing);
    const stream = new WatchStream(asked.resource, answer, outgoing, this.#faultsOf(asked.resource));
    this.watches.add(stream);
    outgoing.once('close', () => this.watches.delete(stream));
    await stream.run();
  }

  /** What a watch of the resource asks for each of its lines. */
  #faultsOf(resource: string): LineFaults {
    const told = this.#told.get(resource) ?? [];
    this.#told.set(resource, told);
    const faults = this.#lineFaultsOf(resource);
    return {
      take: (namespace) => {
        const at = faults.findIndex((each) => each.namespace === namespace);
        return at === -1 ? undefined : faults.splice(at, 1)[0]?.fault;
      },
      older: (namespace, line) => told.find((other) => other !== line && namespaceIn(other) === namespace),
      keep: (line) => {
        told.push(line);
        if (told.length > linesKept) told.shift();
      },
    };
  }

  #lineFaultsOf(resource: string) {
    const faults = this.#lineFaults.get(resource) ?? [];
    this.#lineFaults.set(resource, faults);
    return faults;
  }

  /** Has the API server do it, and keeps the answer here. */
  async #carryOut(incoming: IncomingMessage) {
    const answer = await this.#passOn(incoming);
    const body = Buffer.concat(await answer.toArray());
    return { status: answer.statusCode ?? 502, headers: answer.headers, body };
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
    // A killed operator leaves requests behind of which half has come.
    incoming.once('close', () => void (incoming.complete || asked.destroy()));
    incoming.pipe(asked);
    return promise;
  }
}

function refuse({ status, reason, retryAfterS }: Extract<Mishap, { kind: 'answer' }>, outgoing: ServerResponse): void {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: status,
    reason,
    message: 'a planned fault',
  };
  const wait = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  outgoing.writeHead(status, { 'content-type': 'application/json', ...wait }).end(JSON.stringify(body));
}
