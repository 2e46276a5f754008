import type { KubeApi, Wire } from '../support/kube-api.ts';
import { runPods } from '../support/played-node.ts';
import type { Sight } from './observer.ts';

/** Runs every pod as soon as it is there, as nodes do that never have any trouble. */
export class PlayedNode {
  readonly #api: KubeApi;
  /** Namespaces whose pods are run now; true when there is more to run. */
  readonly #busy = new Map<string, boolean>();
  /** Namespaces whose pods are somebody else's to play. */
  readonly #left = new Set<string>();

  constructor(api: KubeApi) {
    this.#api = api;
  }

  /** Leaves the pods of a namespace as they are. */
  leave(namespace: string): void {
    this.#left.add(namespace);
  }

  see({ type, object }: Sight): void {
    if (object.kind !== 'Pod' || type === 'DELETED' || isReady(object)) return;
    const { namespace } = object.metadata;
    if (this.#left.has(namespace)) return;
    const isBusy = this.#busy.has(namespace);
    this.#busy.set(namespace, isBusy);
    // A pod that was deleted meanwhile is nobody's trouble; one that was not run shows as a plan that does not end.
    if (!isBusy) this.#run(namespace).catch(() => this.#busy.delete(namespace));
  }

  async #run(namespace: string): Promise<void> {
    do {
      this.#busy.set(namespace, false);
      await runPods(this.#api, namespace);
    } while (this.#busy.get(namespace));
    this.#busy.delete(namespace);
  }
}

function isReady({ status }: Wire): boolean {
  return status?.conditions?.some(({ type, status: is }: Wire) => type === 'Ready' && is === 'True') ?? false;
}
