import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import { backoffMs } from '../calls/backoff.ts';
import type { Log } from '../database/postgres.ts';
import type { Readiness } from '../serving/health.ts';
import { within } from '../serving/timeouts.ts';
import type { ServiceInfo, ServiceRegistry } from './service-registry.ts';

/** A service's place in the registry: there while it can do its work. */
export interface Registration {
  /** The service listens at this port. Returns at once: the service does not wait for the registry. */
  readonly begin: (port: number) => void;
  /** The service is about to stop. Resolves once nobody discovers it any more, or after a few seconds at the latest. */
  readonly end: () => Promise<void>;
}

export interface RegistrationOptions {
  readonly registry: Pick<ServiceRegistry, 'register' | 'deregister'>;
  /** Without a port, where the service listens. */
  readonly instance: Omit<ServiceInfo, 'port'> & { readonly port?: number | undefined };
  readonly readiness: Pick<Readiness, 'reason'>;
  readonly log: Log;
  readonly metrics: Registry;
  /** The pause between two looks at the readiness. */
  readonly everyMs?: number;
}

const goodbyeMs = 2_500;
/** So often in a row it must not be ready: a hiccup of their database does not make all instances leave at once. */
const unreadyLooks = 2;

/**
 * Registers an instance while it is ready, as a cluster does with its pods, however long that takes: a registry that
 * fails keeps no service from its work.
 */
export function registrationOf(options: RegistrationOptions): Registration {
  const { registry, instance, readiness, log, metrics, everyMs = 2_000 } = options;
  const stop = new AbortController();
  let ended = Promise.resolve();
  let there = false;
  let unready = 0;
  const registered = new Gauge({
    name: 'service_registered',
    help: 'Whether this instance is in the registry: 0 or 1.',
    registers: [metrics],
  });

  const come = async (info: ServiceInfo) => {
    await registry.register(info);
    there = true;
    registered.set(1);
    log.info({ instance: info.id, address: info.address, port: info.port }, 'registered');
  };
  const leave = async () => {
    there = false;
    registered.set(0);
    await registry.deregister(instance.id);
  };
  const look = async (info: ServiceInfo) => {
    const reason = await readiness.reason();
    unready = reason === undefined ? 0 : unready + 1;
    if (!there && unready === 0) await come(info);
    if (!there || unready < unreadyLooks) return;
    log.warn({ instance: info.id, reason }, 'not ready: taken out of the registry');
    await leave();
  };
  const keep = async (info: ServiceInfo) => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        await look(info);
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) log.warn({ err: error }, 'the registry could not be told; trying again until it is');
      }
      const pauseMs = failures === 0 ? everyMs : backoffMs(failures);
      await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };

  return {
    begin: (port) => {
      ended = keep({ ...instance, port: instance.port ?? port });
    },
    end: async () => {
      stop.abort();
      await within(goodbyeMs, 'the goodbye to the registry', ended.then(leave)).catch((error: unknown) => {
        log.warn({ err: error }, 'no goodbye: the registration ends by itself');
      });
    },
  };
}
