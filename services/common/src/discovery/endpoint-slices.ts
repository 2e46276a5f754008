import { checkServiceInfo, type ServiceInfo } from './service-registry.ts';

/** An EndpointSlice (discovery.k8s.io/v1), as far as it is read here. */
export interface EndpointSlice {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly endpoints?: readonly Endpoint[] | null;
  readonly ports?: readonly { readonly name?: string | null; readonly port?: number | null }[] | null;
}

interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: {
    readonly ready?: boolean | null;
    readonly serving?: boolean | null;
    readonly terminating?: boolean | null;
  };
  readonly nodeName?: string | null;
  readonly zone?: string | null;
  readonly targetRef?: { readonly name?: string } | null;
}

/**
 * The instances of a service that can take requests, by the port of that name, or by the only port that there is.
 * One that is in two slices, as pods are for a moment or with two kinds of addresses, is one instance.
 */
export function instancesIn(slices: Iterable<EndpointSlice>, name: string, portName: string): readonly ServiceInfo[] {
  const found = [...slices].flatMap((slice) => {
    const port = portOf(slice, portName);
    if (port === undefined) return [];
    return (slice.endpoints ?? []).filter(isHealthy).flatMap((endpoint) => instanceAt(endpoint, name, port));
  });
  return [...new Map(found.map((info) => [info.id, info])).values()];
}

function portOf({ ports }: EndpointSlice, portName: string): number | undefined {
  const all = ports ?? [];
  const chosen = all.find(({ name }) => name === portName) ?? (all.length === 1 ? all[0] : undefined);
  return chosen?.port ?? undefined;
}

/** A condition that is not stated holds, as the API has it. One that terminates still serves, but asks for no more. */
function isHealthy({ conditions = {} }: Endpoint): boolean {
  return conditions.ready !== false && conditions.serving !== false && conditions.terminating !== true;
}

function instanceAt(endpoint: Endpoint, name: string, port: number): readonly ServiceInfo[] {
  const { addresses, targetRef, nodeName, zone } = endpoint;
  const [address = ''] = addresses;
  const metadata = { ...(nodeName ? { node: nodeName } : {}), ...(zone ? { zone } : {}) };
  const info = { id: targetRef?.name ?? `${name}-${address}`, name, address, port, metadata, tags: [] };
  try {
    checkServiceInfo(info);
    return [info];
  } catch {
    return []; // of no use to anybody; the API server lets hardly anything else through
  }
}
