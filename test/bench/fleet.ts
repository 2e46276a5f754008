import type { Microservice } from '../../operator/src/api/microservice.generated.ts';
import type { KubeObject, ObjectKey } from '../../operator/src/api/object.ts';
import { patch, post } from '../../operator/src/cluster/resource.ts';
import { idOf } from '../../operator/src/cluster/store.ts';
import { desiredChildren } from '../../operator/src/desired/children.ts';
import { eventually } from '../support/eventually.ts';
import { makeNamespace, paths } from '../support/kube-api.ts';
import { rolledOut } from '../support/live-objects.ts';
import type { Bed } from './bed.ts';
import { benchMicroservice } from './microservice.ts';
import { sideBySide } from './side-by-side.ts';

/** Of the user: what a person or a deployment tool would write as. */
const fieldManager = 'bench';

/** Many equal Microservices in a namespace of their own. */
export class Fleet {
  readonly namespace: string;
  readonly keys: ObjectKey[] = [];
  readonly #bed: Bed;
  /** The last generation of each that was edited, as the API server answered: watches may be behind. */
  readonly #generations = new Map<string, number>();

  private constructor(bed: Bed, namespace: string) {
    this.#bed = bed;
    this.namespace = namespace;
  }

  static async found(bed: Bed): Promise<Fleet> {
    return new Fleet(bed, await makeNamespace(bed.api));
  }

  /** The kinds of the children of each. */
  get childKinds(): readonly string[] {
    return desiredChildren(benchMicroservice({ namespace: this.namespace, name: 'any' })).map(({ kind }) => kind);
  }

  /** Creates further Microservices, all at once. */
  async grow(count: number): Promise<void> {
    const added = Array.from({ length: count }, (_, i) => ({
      namespace: this.namespace,
      name: `svc-${this.keys.length + i}`,
    }));
    this.keys.push(...added);
    await sideBySide(added, (key) => post(this.#bed.user, benchMicroservice(key)));
  }

  /** Waits until every child is there and the status of every Microservice is written; gives the time of the last. */
  async served(): Promise<number> {
    const { outside } = this.#bed;
    const { keys } = this;
    const children = this.childKinds.map((kind) => outside.sees(`every ${kind}`, { kind, keys, isSo: () => true }));
    const status = outside.sees('every status', { kind: 'Microservice', keys, isSo: this.#isObserved });
    return Math.max(...(await Promise.all([status, ...children])));
  }

  /** Changes the image of one; gives the time at which the API server answered. */
  async edit(key: ObjectKey, image: string): Promise<number> {
    const { user, outside } = this.#bed;
    const edited = await patch(user, outside.object('Microservice', key), { spec: { image } }, { fieldManager });
    const answeredAt = performance.now();
    this.#generations.set(idOf(key), edited.metadata.generation ?? 0);
    return answeredAt;
  }

  /** Reports the pods of every Deployment ready, where that is not known, and waits until every Microservice says so. */
  async settle(keys: readonly ObjectKey[] = this.keys): Promise<void> {
    const { outside } = this.#bed;
    await outside.sees('every status', { kind: 'Microservice', keys, isSo: this.#isObserved });
    await sideBySide(keys, (key) => this.#reportReady(outside.object('Deployment', key)));
    await outside.sees('every Microservice to be Ready', { kind: 'Microservice', keys, isSo: this.#isReady });
  }

  /** Takes every Microservice and every child away, as the garbage collector would. */
  async clear(): Promise<void> {
    const { api, outside } = this.#bed;
    const collections = { ...paths, ...further };
    // The Microservices first: as long as they are there, the operator makes their children again.
    for (const path of Object.values(collections)) await api.delete(path(this.namespace));
    await eventually(
      () => {
        const left = ['Microservice', ...this.childKinds].filter((kind) => outside.count(kind, this.namespace) > 0);
        if (left.length > 0) throw new Error(`still there: ${left.join(', ')}`);
      },
      { withinMs: 30_000 },
    );
  }

  /** Whether the status speaks of the newest spec. */
  readonly #isObserved = ({ metadata, status }: KubeObject): boolean => {
    const { generation = 0 } = metadata;
    const { observedGeneration } = (status ?? {}) as NonNullable<Microservice['status']>;
    return generation >= (this.#generations.get(idOf(metadata)) ?? 0) && observedGeneration === generation;
  };

  readonly #isReady = (object: KubeObject): boolean => {
    const { conditions = [] } = (object.status ?? {}) as NonNullable<Microservice['status']>;
    return this.#isObserved(object) && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  };

  /** What the controller of Deployments would report about pods that run. There is none in this control plane. */
  async #reportReady(deployment: KubeObject): Promise<void> {
    const { generation } = deployment.metadata;
    const { observedGeneration } = (deployment.status ?? {}) as { readonly observedGeneration?: number };
    if (observedGeneration === generation) return;
    const { replicas = 1 } = deployment.spec as { readonly replicas?: number };
    await patch(
      this.#bed.user,
      deployment,
      { status: rolledOut(replicas, generation) },
      { fieldManager, subresource: 'status' },
    );
  }
}

/** Collections of children and events that `paths` does not name. */
const further = {
  accounts: (namespace: string) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  budgets: (namespace: string) => `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`,
};
