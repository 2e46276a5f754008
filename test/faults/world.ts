import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import type { Essence } from '../support/essence.ts';
import { eventually } from '../support/eventually.ts';
import { installDefinition, KubeApi, paths, type Wire } from '../support/kube-api.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { startControllers } from './controller-manager.ts';
import { PlayedNode } from './node.ts';
import { Observer } from './observer.ts';
import { FaultyApi } from './proxy.ts';
import { stateOf } from './state.ts';

/** What somebody does to a Microservice: gives what the API server answered. */
export type Act = (api: KubeApi, namespace: string) => Promise<Wire>;

/** The name of the Microservice of every plan, each in a namespace of its own. */
export const subject = 'orders';

/** A cluster whose pods run at once, an operator that can be killed, and between the two a place where faults happen. */
export class World implements AsyncDisposable {
  readonly api: KubeApi;
  readonly proxy: FaultyApi;
  readonly observer: Observer;
  readonly node: PlayedNode;
  readonly #plane: ControlPlane;
  readonly #controllers: ChildProcess;
  #operator: OperatorProcess | undefined;
  /** Every operator that was started. */
  readonly #operators: OperatorProcess[] = [];
  /** Log lines that were told by `takeFaults`. */
  readonly #told = new WeakSet<object>();
  /** The last state of each namespace, and after how many changes that was. */
  readonly #states = new Map<string, { readonly changes: number; readonly state: Essence }>();
  #namespaces = 0;

  private constructor(parts: {
    readonly plane: ControlPlane;
    readonly controllers: ChildProcess;
    readonly api: KubeApi;
    readonly proxy: FaultyApi;
    readonly observer: Observer;
    readonly node: PlayedNode;
  }) {
    this.#plane = parts.plane;
    this.#controllers = parts.controllers;
    this.api = parts.api;
    this.proxy = parts.proxy;
    this.observer = parts.observer;
    this.node = parts.node;
  }

  static async start(): Promise<World> {
    const plane = await startControlPlane();
    const api = new KubeApi(plane.kubeconfig);
    await installDefinition(api);
    // After the definition: the garbage collector looks for new kinds every 30 s only.
    const controllers = startControllers(plane);
    const node = new PlayedNode(api);
    const observer = await Observer.start(plane.kubeconfig, (sight) => node.see(sight));
    const proxy = await FaultyApi.start(plane.kubeconfig, () => world.kill());
    const world: World = new World({ plane, controllers, api, proxy, observer, node });
    await world.launch();
    return world;
  }

  // --- the operator ---

  get isUp(): boolean {
    return this.#operator !== undefined;
  }

  /** Starts the operator and waits until it says that it is ready; gives when the process was started. */
  async launch(): Promise<number> {
    const startedAt = performance.now();
    const operator = OperatorProcess.launch(this.proxy.kubeconfig);
    this.#operator = operator;
    this.#operators.push(operator);
    await operator.ready();
    return startedAt;
  }

  /** Kills the operator, as a node that vanishes does: there is no last request. */
  kill(): void {
    const operator = this.#operator;
    this.#operator = undefined;
    operator?.stop('SIGKILL').catch(() => undefined);
  }

  /** O5: what operators logged as a fault of their own since somebody asked last. */
  takeFaults(): readonly string[] {
    const lines = this.#operators.flatMap(({ log }) => log.filter(({ level }) => level === 'error'));
    const fresh = lines.filter((line) => !this.#told.has(line));
    for (const line of fresh) this.#told.add(line);
    return fresh.map((line) => `O5 process: ${JSON.stringify(line).slice(0, 400)}`);
  }

  /** How big the operator is now. @throws Error while none runs */
  sample(): { readonly megabytes: number; readonly descriptors: number } {
    if (this.#operator === undefined) throw new Error('no operator runs');
    return { megabytes: Math.round(this.#operator.rss() / 1_000_000), descriptors: this.#operator.descriptors() };
  }

  // --- namespaces and what is in them ---

  /** Makes a namespace of its own for a plan. Its name has always the same length, and is part of no other. */
  async namespace(): Promise<string> {
    this.#namespaces += 1;
    const name = `plan-${String(this.#namespaces).padStart(4, '0')}`;
    await this.api.post('/api/v1/namespaces', { metadata: { name } });
    // Without its account no pod is created.
    await eventually(() => this.#has(name, 'ServiceAccount', 'default'), { withinMs: 30_000 });
    return name;
  }

  state(namespace: string): Essence {
    const changes = this.observer.changes(namespace);
    const known = this.#states.get(namespace);
    if (known?.changes === changes) return known.state;
    const state = stateOf(this.observer.objects(namespace), namespace);
    this.#states.set(namespace, { changes, state });
    return state;
  }

  /** The Microservice of a namespace. */
  microservice(namespace: string): Wire {
    return this.observer.object(namespace, 'Microservice', subject);
  }

  /** Has somebody act, and waits until that is seen here. */
  async act(act: Act, namespace: string): Promise<Wire> {
    const before = this.microservice(namespace)?.metadata.uid;
    const answer = await act(this.api, namespace);
    const { kind, metadata } = answer;
    // What goes has no version to wait for.
    const isSeen = () =>
      kind === 'Status' || kind === 'Namespace'
        ? this.#isGoing(namespace, before)
        : this.observer.hasSeen(kind, BigInt(metadata.resourceVersion));
    await eventually(
      () => {
        if (!isSeen())
          throw new Error(`${kind} ${metadata?.name ?? ''} in ${namespace} was not seen after it was written`);
      },
      { withinMs: 40_000 },
    );
    return answer;
  }

  /** How many writes of the operator to a namespace came by. */
  writesTo(namespace: string): number {
    return this.proxy.writesTo(namespace).length;
  }

  /** Takes the Microservices of namespaces away that nobody looks at any more. */
  async clear(namespaces: readonly string[]): Promise<void> {
    await Promise.all(namespaces.map((namespace) => this.api.ask('DELETE', paths.microservices(namespace))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#operator?.stop('SIGKILL');
    await this.proxy[Symbol.asyncDispose]();
    await this.observer[Symbol.asyncDispose]();
    await this.api[Symbol.asyncDispose]();
    if (this.#controllers.exitCode === null) {
      const ended = once(this.#controllers, 'exit');
      this.#controllers.kill('SIGKILL');
      await ended;
    }
    await this.#plane.stop();
  }

  #has(namespace: string, kind: string, name: string): void {
    if (this.observer.object(namespace, kind, name) === undefined) {
      throw new Error(`there is no ${kind} ${name} in ${namespace}`);
    }
  }

  #isGoing(namespace: string, uid: string | undefined): boolean {
    const { metadata } = this.microservice(namespace) ?? {};
    return metadata === undefined || metadata.uid !== uid || metadata.deletionTimestamp !== undefined;
  }
}
