import type { KubeObject, Manifest } from '../api/object.ts';

interface Port {
  readonly containerPort?: number;
  readonly port?: number;
  readonly protocol?: string;
}

interface Container {
  readonly name: string;
  readonly ports?: readonly Port[];
}

/** The parts of a Service and of a Deployment that matter here. */
interface Spec {
  readonly ports?: readonly Port[];
  readonly template?: { readonly spec: { readonly containers: readonly Container[] } };
}

/**
 * A merge patch that takes out of a live child the ports, and of a ConfigMap the keys, that nobody asks for; undefined
 * when there are none.
 * Server-side apply alone does not: it leaves in a list what others put there, even where two ports then have the
 * same name and the API server refuses the whole.
 */
export function withoutIntruders(manifest: Manifest, live: KubeObject): unknown {
  if (manifest.data !== undefined) return withoutKeys(manifest.data, live.data);
  const [asked, found] = [(manifest.spec ?? {}) as Spec, (live.spec ?? {}) as Spec];
  if (asked.ports !== undefined)
    return hasMore(found.ports, asked.ports) ? { spec: { ports: asked.ports } } : undefined;
  const [askedContainers, containers] = [containersOf(asked), containersOf(found)];
  const askedPorts = new Map(askedContainers.map(({ name, ports }) => [name, ports]));
  const cleared = containers.map((container) => {
    const ports = askedPorts.get(container.name);
    return ports !== undefined && hasMore(container.ports, ports) ? { ...container, ports } : container;
  });
  const isSame = cleared.every((container, index) => container === containers[index]);
  return isSame ? undefined : { spec: { template: { spec: { containers: cleared } } } };
}

function withoutKeys(asked: unknown = {}, found: unknown = {}): unknown {
  const known = new Set(Object.keys(asked as object));
  const unknown = Object.keys(found as object).filter((key) => !known.has(key));
  return unknown.length === 0 ? undefined : { data: Object.fromEntries(unknown.map((key) => [key, null])) };
}

function containersOf({ template }: Spec): readonly Container[] {
  return template?.spec.containers ?? [];
}

function hasMore(found: readonly Port[] = [], asked: readonly Port[]): boolean {
  const keys = new Set(asked.map(keyOf));
  return found.some((port) => !keys.has(keyOf(port)));
}

/** What the API server tells ports in a list apart by. */
function keyOf({ containerPort, port, protocol = 'TCP' }: Port): string {
  return `${containerPort ?? port}/${protocol}`;
}
