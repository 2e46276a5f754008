import type { Wire } from '../support/kube-api.ts';
import type { Sight } from './observer.ts';

/** A time in which a Microservice said that it is ready, of the very spec that it has, and was not. */
export interface Falsehood {
  readonly forMs: number;
  /** It was false when it was said. If not, it became so later, by what others did, and the word is only out of date. */
  readonly isLie: boolean;
  /** What was not as the spec asks. */
  readonly because: string;
}

/** Every false word in the history of a namespace, which has to be in the order of its versions. */
export function falsehoodsIn(history: readonly Sight[]): readonly Falsehood[] {
  const there = new Map<string, Wire>();
  const found: Falsehood[] = [];
  let open: (Pick<Falsehood, 'because' | 'isLie'> & { readonly since: number }) | undefined;
  for (const { type, object, at } of history) {
    const id = `${object.kind}/${object.metadata.name}`;
    if (type === 'DELETED') there.delete(id);
    else there.set(id, object);
    const because = falsehood(there);
    if (because !== undefined) open ??= { because, isLie: object.kind === 'Microservice', since: at };
    else if (open !== undefined) {
      found.push(ended(open, at));
      open = undefined;
    }
  }
  return open === undefined ? found : [...found, ended(open, Number.POSITIVE_INFINITY)];
}

function ended({ since, ...falsehood }: Omit<Falsehood, 'forMs'> & { readonly since: number }, at: number): Falsehood {
  return { ...falsehood, forMs: Math.max(0, at - since) };
}

function falsehood(there: ReadonlyMap<string, Wire>): string | undefined {
  for (const object of there.values()) {
    if (object.kind !== 'Microservice' || !saysReady(object)) continue;
    const lag = lagOf(object, there);
    if (lag !== undefined) return lag;
  }
  return undefined;
}

function saysReady({ metadata, status = {} }: Wire): boolean {
  if (metadata.deletionTimestamp !== undefined || status.observedGeneration !== metadata.generation) return false;
  return status.conditions?.some(({ type, status: is }: Wire) => type === 'Ready' && is === 'True') ?? false;
}

/**
 * Where the children of a Microservice are behind its spec. Made from the resource's own promises, and from nothing of
 * the operator.
 */
function lagOf({ metadata, spec }: Wire, there: ReadonlyMap<string, Wire>): string | undefined {
  const child = (kind: string) => {
    const found = there.get(`${kind}/${metadata.name}`);
    return found?.metadata.ownerReferences?.[0]?.uid === metadata.uid ? found : undefined;
  };
  const deployment = child('Deployment');
  if (deployment === undefined) return 'there is no Deployment';
  return (
    templateLag(spec, deployment, metadata.name) ??
    serviceLag(spec, child('Service')) ??
    autoscalerLag(spec, child('HorizontalPodAutoscaler')) ??
    rolloutLag(spec, deployment)
  );
}

function templateLag(spec: Wire, deployment: Wire, name: string): string | undefined {
  const container = deployment.spec.template.spec.containers.find((candidate: Wire) => candidate.name === name);
  const variables = (list: readonly Wire[] = []) => list.map(({ name: key, value }) => `${key}=${value}`).join(' ');
  if (container?.image !== spec.image) return `the image is ${container?.image}`;
  if (variables(container.env) !== variables(spec.env)) return `the environment is ${variables(container.env)}`;
  const liveness = spec.probes?.liveness?.periodSeconds;
  if (container.livenessProbe?.periodSeconds !== liveness) return 'the liveness probe is another one';
  return portsOf(container.ports, 'containerPort') === portsOf(spec.ports, 'containerPort') ? undefined : 'other ports';
}

function serviceLag({ ports }: Wire, service: Wire): string | undefined {
  if (ports === undefined) return service && 'there is a Service';
  if (service === undefined) return 'there is no Service';
  const asked = ports.map((port: Wire) => ({ ...port, port: port.servicePort ?? port.containerPort }));
  return portsOf(service.spec.ports, 'port') === portsOf(asked, 'port') ? undefined : 'the Service has other ports';
}

function portsOf(ports: readonly Wire[] = [], number: string): string {
  return ports.map((port) => `${port.name}:${port[number]}`).join(' ');
}

function autoscalerLag({ autoscaling }: Wire, autoscaler: Wire): string | undefined {
  if (autoscaling === undefined) return autoscaler && 'there is an autoscaler';
  if (autoscaler === undefined) return 'there is no autoscaler';
  return autoscaler.spec.maxReplicas === autoscaling.maxReplicas ? undefined : 'the autoscaler has other bounds';
}

function rolloutLag(spec: Wire, { metadata, spec: asked, status = {} }: Wire): string | undefined {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, observedGeneration = 0 } = status;
  if (spec.autoscaling !== undefined) {
    const fewest = spec.autoscaling.minReplicas ?? 1;
    return availableReplicas >= fewest ? undefined : `${availableReplicas} of at least ${fewest} pods are available`;
  }
  if (asked.replicas !== spec.replicas) return `${asked.replicas} pods are asked for`;
  if (observedGeneration < metadata.generation) return 'Kubernetes has not seen the Deployment';
  const isComplete = [replicas, updatedReplicas, availableReplicas].every((count) => count === asked.replicas);
  return isComplete ? undefined : `${availableReplicas} of ${asked.replicas} pods are available`;
}
