import { Counter, Registry } from 'prom-client';
import type { Log } from '../database/postgres.ts';
import type { Etcd } from '../etcd/etcd.ts';
import { etcdEntries } from '../etcd/etcd-mirror.ts';
import { followedServices } from './followed-services.ts';
import { type KeptLease, keepLease } from './kept-lease.ts';
import { checkServiceInfo, readServiceInfo, type ServiceInfo, type ServiceRegistry } from './service-registry.ts';

export interface EtcdRegistryOptions {
  /** Closed with the registry. */
  readonly etcd: Etcd;
  readonly log: Log;
  /** Where the heartbeats are counted. */
  readonly metrics?: Registry;
  /** An instance that dies without goodbye is gone after so long. */
  readonly leaseSeconds?: number;
  readonly prefix?: string;
}

/** What stands in the place of an instance between its goodbye and the end of its lease: its absence is no accident. */
const goodbye = '';

/**
 * A registry in etcd: an instance is a key `<prefix><name>/<id>` with its description as JSON, under a lease of its
 * own. An instance is healthy while its lease lives; a heartbeat keeps it at a third of its time, and registers anew
 * when the lease was lost. Should all leases of a service end at once, as after an outage of etcd, its last instances
 * count for one more lease, by which time those that live are back.
 */
export function etcdRegistry(options: EtcdRegistryOptions): ServiceRegistry {
  const { etcd, log, leaseSeconds = 10, prefix = '/services/' } = options;
  const heartbeats = new Counter({
    name: 'registry_heartbeats_total',
    help: 'Heartbeats to the registry by outcome: kept, renewed after the lease was lost, failed.',
    labelNames: ['outcome'],
    registers: [options.metrics ?? new Registry()],
  });
  const registered = new Map<string, { readonly key: string; readonly lease: KeptLease }>();
  const services = followedServices({
    source: (name) => etcdEntries(etcd, `${prefix}${name}/`),
    instancesOf: (entries) => [...entries].flatMap(([id, value]) => read(id, value, log)),
    keepLastMs: leaseSeconds * 1000,
    log,
  });

  const deregister = async (id: string) => {
    const instance = registered.get(id);
    if (instance === undefined) return;
    registered.delete(id);
    await instance.lease.end((leaseId) => etcd.put(instance.key, goodbye, { leaseId }));
  };

  return {
    ...services,
    register: async (info) => {
      checkServiceInfo(info);
      await deregister(info.id);
      const key = `${prefix}${info.name}/${info.id}`;
      const lease = await keepLease({
        etcd,
        seconds: leaseSeconds,
        attach: (leaseId) => etcd.put(key, JSON.stringify(info), { leaseId }),
        onBeat: (outcome) => heartbeats.inc({ outcome }),
        onTrouble: (reason) => {
          if (reason === undefined) log.info({ instance: info.id }, 'heartbeats reach the registry again');
          else log.warn({ instance: info.id, reason }, 'no heartbeat: the registry does not answer');
        },
      });
      registered.set(info.id, { key, lease });
    },
    deregister,
    close: async () => {
      await Promise.all([services.close(), ...[...registered.values()].map(({ lease }) => lease.abandon())]);
      await etcd.close();
    },
  };
}

/** The instance that an entry describes; none when it said goodbye, or when others write below our prefix. */
function read(id: string, value: string, log: Log): readonly ServiceInfo[] {
  if (value === goodbye) return [];
  try {
    return [readServiceInfo(JSON.parse(value))];
  } catch (error) {
    log.warn({ instance: id, reason: String(error) }, 'an entry of the registry is no instance: left out');
    return [];
  }
}
