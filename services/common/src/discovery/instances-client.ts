import { currentRequest } from '../calls/deadline.ts';
import {
  clientOver,
  connectionsTo,
  type HttpClient,
  type HttpClientOptions,
  type Undirected,
} from '../calls/http-client.ts';
import type { HttpAnswer } from '../calls/http-exchange.ts';
import { UpstreamError } from '../calls/upstream-error.ts';
import type { Balancing } from './balancer.ts';
import { type Instance, type InstancePools, instancePools, nothingWasSent } from './instance-pools.ts';
import { showInstances } from './instances-metric.ts';
import { type Discovery, originOf, type ServiceInfo } from './service-registry.ts';

export interface InstancesClientOptions extends HttpClientOptions {
  readonly discovery: Pick<Discovery, 'discover' | 'watch'>;
  /** The service whose instances are asked. The host and the port of `baseUrl` are not used. */
  readonly service: string;
  readonly balancing?: Balancing;
}

/**
 * As `httpClient`, to whatever instances of a service there are: each request goes to one of them by `balancing`. An
 * instance that cannot be connected to has got nothing of the request, so that the next one is asked at once; the
 * second attempt of a call that may be repeated goes to another instance, too, if there is one. An instance that left
 * is asked no more, and ends what it was asked before.
 */
export function instancesClient(options: InstancesClientOptions): HttpClient {
  const { discovery, service, balancing = 'least-requests' } = options;
  const { protocol } = new URL(options.baseUrl);
  const pools = instancePools((origin) => connectionsTo(origin, options), balancing);
  let heard = false;

  const hear = (instances: readonly ServiceInfo[]) => {
    heard = true;
    pools.replace(new Set(instances.map((instance) => originOf(instance, protocol))));
  };
  const unwatch = discovery.watch(service, hear);
  showInstances(options.registry, service, pools.size);

  return clientOver(options, {
    begin: async () => {
      if (!heard) hear(await firstHeard(discovery, service));
      if (pools.size() === 0) throw nobodyThere(service);
      const tried = new Set<Instance>();
      return (outgoing) => attempt(pools, { service, tried, outgoing });
    },
    close: async () => {
      unwatch();
      await pools.close();
    },
  });
}

interface Attempt {
  readonly service: string;
  /** Whom this call was tried at before; those of this attempt are added. */
  readonly tried: Set<Instance>;
  readonly outgoing: Undirected;
}

/** One attempt: at the first instance that takes the connection, or else at one that left a moment ago. */
async function attempt(pools: InstancePools, { service, tried, outgoing }: Attempt): Promise<HttpAnswer> {
  let instance = pools.next(tried) ?? pools.next(new Set());
  if (instance === undefined) throw nobodyThere(service);
  for (;;) {
    tried.add(instance);
    try {
      return await pools.ask(instance, outgoing);
    } catch (error) {
      const other = nothingWasSent(error) ? (pools.next(tried) ?? pools.nextFormer(tried)) : undefined;
      if (other === undefined) throw error;
      instance = other;
    }
  }
}

async function firstHeard(discovery: Pick<Discovery, 'discover'>, service: string) {
  try {
    return await discovery.discover(service);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unavailable(`where ${service} is, is not known: ${reason}`, error);
  }
}

const nobodyThere = (service: string) => unavailable(`no healthy instances of ${service} found`);

/** Asking us again would not help: the caller is told so. */
function unavailable(message: string, cause?: unknown): UpstreamError {
  const request = currentRequest();
  if (request !== undefined) request.gaveUp = true;
  return new UpstreamError('unavailable', message, cause === undefined ? {} : { cause });
}
