import { childKinds } from '../../operator/src/api/kinds.ts';
import type { MicroserviceSpec } from '../../operator/src/api/microservice.generated.ts';
import type { KubeObject } from '../../operator/src/api/object.ts';
import type { KubeCluster } from '../../operator/src/cluster/kube-cluster.ts';
import { type Essence, essenceOf } from './essence.ts';
import { eventually } from './eventually.ts';
import { type KubeApi, paths } from './kube-api.ts';

const namespace = 'default';
const collection = paths.microservices(namespace);

/** The collection that the children of a kind are in. */
export function pathOfKind(kind: string): string {
  const known = childKinds.find((candidate) => candidate.kind === kind);
  if (known === undefined) throw new Error(`no children are of kind ${kind}`);
  const { apiVersion, plural } = known;
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/namespaces/${namespace}/${plural}`;
}

interface Seen {
  readonly observedGeneration?: number;
}

/** The API server does not take the spec. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** A Microservice that becomes one thing after the other, while an operator follows. */
export class Walker {
  readonly name: string;
  readonly #api: KubeApi;
  readonly #seen: KubeCluster;
  readonly #slot: number;
  #exists = false;
  #nodePorts: readonly number[] = [];

  /**
   * @param seen shows Microservices and their children without a request for each look
   * @param slot tells which ports of the nodes it may ask for: those of no other Microservice of that time
   */
  constructor(api: KubeApi, seen: KubeCluster, name: string, slot: number) {
    this.name = name;
    this.#api = api;
    this.#seen = seen;
    this.#slot = slot;
  }

  /**
   * Writes the spec, and waits until the operator has seen it.
   * @throws Refused when the API server does not take it
   */
  async become(spec: MicroserviceSpec): Promise<void> {
    const placed = withNodePorts(spec, this.#slot);
    const generation = await this.#write(placed);
    this.#nodePorts = nodePortsOf(placed);
    await eventually(
      () => {
        const { observedGeneration = -1 } = (this.#seen.microservice(this.#key)?.status ?? {}) as Seen;
        if (observedGeneration < generation) throw new Error(`the operator has not seen ${this.name}`);
      },
      { withinMs: 30_000, everyMs: 5 },
    );
  }

  get #key() {
    return { namespace, name: this.name };
  }

  async #write(spec: MicroserviceSpec): Promise<number> {
    const answer = this.#exists
      ? await this.#api.ask(
          'PATCH',
          `${collection}/${this.name}`,
          [{ op: 'replace', path: '/spec', value: spec }],
          'application/json-patch+json',
        )
      : await this.#api.ask('POST', `${collection}?fieldValidation=Strict`, manifestOf(this.name, spec));
    if (answer.status === 422 || answer.status === 400) throw new Refused(answer.body.message);
    if (answer.status >= 300) throw new Error(`${this.name}: ${answer.status} ${answer.body.message}`);
    this.#exists = true;
    return answer.body.metadata.generation;
  }

  /** Touches it without changing what it asks for. */
  async touch(mark: string): Promise<void> {
    await this.#api.patch(`${collection}/${this.name}`, { metadata: { annotations: { 'example.com/touched': mark } } });
  }

  /** Its children, as the API server has them. */
  children(): readonly KubeObject[] {
    return this.#seen.children(this.#key).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  essence(withContentMark: boolean): Essence {
    return essenceOf(this.children(), { withContentMark, nodePorts: this.#nodePorts });
  }

  deployment(): KubeObject | undefined {
    return this.children().find(({ kind }) => kind === 'Deployment');
  }

  async remove(): Promise<void> {
    await this.#api.delete(`${collection}/${this.name}`);
  }
}

function manifestOf(name: string, spec: MicroserviceSpec) {
  return {
    apiVersion: 'microservice-platform.io/v1alpha1',
    kind: 'Microservice',
    metadata: { namespace, name },
    spec,
  };
}

/** The node ports that the API server gives to those who ask for none only when it has no others left. */
const [firstPort, portsKept] = [30_000, 86];
/** Each slot holds an even port and an odd one, so that a spec can ask for another port than before. */
export const slots = portsKept / 2;

/** The spec with ports of the nodes of its own, since a cluster has each only once. */
export function withNodePorts(spec: MicroserviceSpec, slot: number): MicroserviceSpec {
  if (!spec.ports?.some(({ nodePort }) => nodePort !== undefined)) return spec;
  const own = firstPort + 2 * (slot % slots);
  return {
    ...spec,
    ports: spec.ports.map((port) =>
      port.nodePort === undefined ? port : { ...port, nodePort: own + (port.nodePort % 2) },
    ),
  };
}

export function nodePortsOf({ ports = [] }: MicroserviceSpec): number[] {
  return ports.flatMap(({ nodePort }) => (nodePort === undefined ? [] : [nodePort]));
}
