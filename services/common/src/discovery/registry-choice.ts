import { randomUUID } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import type { Registry } from 'prom-client';
import { type HttpClient, type HttpClientOptions, httpClient } from '../calls/http-client.ts';
import { ConfigError, type ConfigOf, integer, oneOf, port, type Setting, urls } from '../config/config.ts';
import type { Log } from '../database/postgres.ts';
import { etcd } from '../etcd/etcd.ts';
import type { Readiness } from '../serving/health.ts';
import { balancings } from './balancer.ts';
import { instancesClient } from './instances-client.ts';
import { type Registration, registrationOf } from './registration.ts';
import { etcdRegistry } from './registry-etcd.ts';
import { kubernetesRegistry } from './registry-kubernetes.ts';
import { isAddress, isServiceName, type ServiceRegistry } from './service-registry.ts';

/** What a service reads that finds others, or wants to be found. */
export const registryConfig = {
  /** `dns`: the names in addresses are those of DNS. Otherwise a host that is a single word is a service of the registry. */
  registry: oneOf('REGISTRY', ['dns', 'kubernetes', 'etcd'], 'dns'),
  registryEtcdEndpoints: { ...urls('REGISTRY_ETCD_ENDPOINTS'), fallback: [] },
  /** How long an instance is believed to live that says nothing any more. */
  registryLeaseSeconds: integer('REGISTRY_LEASE_SECONDS', { min: 2, max: 3_600 }, 10),
  registryBalancing: oneOf('REGISTRY_BALANCING', balancings, 'least-requests'),
  /** Where others reach this instance: by default this machine's first address, and the port that it listens at. */
  advertisedAddress: address('ADVERTISED_ADDRESS'),
  advertisedPort: port('ADVERTISED_PORT', 0),
} as const;

export type RegistrySettings = ConfigOf<typeof registryConfig> & { readonly version: string };

/** How a service finds others, and is found by them. */
export interface ServiceDirectory {
  /** Calls to the service at `baseUrl`, wherever its instances are. */
  readonly client: (options: HttpClientOptions) => HttpClient;
  /** For `serve`; none where nobody has to register. */
  readonly registration: Registration | undefined;
  /** After the last call. */
  readonly close: () => Promise<void>;
}

/** What the directory needs of the application of a service. */
export interface Registrant {
  readonly log: Log;
  readonly readiness: Pick<Readiness, 'reason'>;
  readonly metrics: { readonly registry: Registry };
}

/**
 * The directory of the registry that the configuration asks for, for the service of that name. Nothing is connected to
 * before it is needed, and no registry that fails keeps a service from starting.
 *
 * @throws ConfigError when what that registry needs is missing
 */
export function serviceDirectory(name: string, config: RegistrySettings, app: Registrant): ServiceDirectory {
  if (config.registry === 'dns') return { client: httpClient, registration: undefined, close: async () => undefined };
  const registry = registryBy(config, app);
  return {
    client: (options) => {
      const { hostname: service } = new URL(options.baseUrl);
      if (!isServiceName(service)) return httpClient(options);
      return instancesClient({ ...options, discovery: registry, service, balancing: config.registryBalancing });
    },
    registration: config.registry === 'kubernetes' ? undefined : ownRegistration(name, { registry, config, app }),
    close: registry.close,
  };
}

function registryBy(config: RegistrySettings, { log, metrics }: Registrant): ServiceRegistry {
  if (config.registry === 'kubernetes') return kubernetesRegistry({ log });
  const { registryEtcdEndpoints: endpoints, registryLeaseSeconds: leaseSeconds } = config;
  if (endpoints.length === 0) throw new ConfigError(['REGISTRY_ETCD_ENDPOINTS is not set, but REGISTRY is etcd']);
  // A heartbeat that hangs must leave time for the next one.
  const client = etcd({ endpoints, timeoutMs: Math.min(2_000, Math.floor((leaseSeconds * 1000) / 3)) });
  return etcdRegistry({ etcd: client, log, metrics: metrics.registry, leaseSeconds });
}

interface Own {
  readonly registry: ServiceRegistry;
  readonly config: RegistrySettings;
  readonly app: Registrant;
}

function ownRegistration(name: string, { registry, config, app }: Own): Registration {
  const instance = {
    // In a pod the host's name is the pod's; a process that is started again there is another instance all the same.
    id: `${hostname()}-${randomUUID().slice(0, 8)}`,
    name,
    address: config.advertisedAddress ?? ownAddress(),
    port: config.advertisedPort || undefined,
    metadata: { version: config.version },
    tags: [],
  };
  const { log, readiness, metrics } = app;
  return registrationOf({ registry, instance, readiness, log, metrics: metrics.registry });
}

function address(variable: string): Setting<string | undefined> {
  return {
    variable,
    fallback: undefined,
    parse: (given) => {
      if (isAddress(given)) return given;
      throw new Error('is not a host name or an IP address');
    },
  };
}

/** The first address of this machine that others can use: in a pod, the pod's. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.find(({ internal, scopeid }) => !internal && !scopeid)?.address ?? '127.0.0.1';
}
