import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../database/postgres.ts';
import { type Mirror, type MirrorSource, mirror } from '../etcd/mirror.ts';
import { within } from '../serving/timeouts.ts';
import { checkServiceName, type Discovery, type ServiceInfo } from './service-registry.ts';

export interface FollowedServicesOptions<T, Position> {
  /** Where what the registry holds about one service is listed and watched. */
  readonly source: (name: string) => MirrorSource<T, Position>;
  /** The healthy instances among what it holds. */
  readonly instancesOf: (entries: ReadonlyMap<string, T>, name: string) => readonly ServiceInfo[];
  /**
   * When all that the registry holds about a service vanishes, its last instances count for so long all the same. A
   * registry that was away may have forgotten everything, and needs the time of a heartbeat to be told again.
   */
  readonly keepLastMs?: number;
  readonly log: Log;
}

type Listener = (instances: readonly ServiceInfo[]) => void;

interface Followed {
  readonly instances: () => readonly ServiceInfo[];
  readonly mirror: Mirror<unknown>;
  /** Resolves once the registry has answered. */
  readonly known: Promise<void>;
  readonly listen: (listener: Listener) => () => void;
  readonly close: () => Promise<void>;
}

const firstAnswerMs = 2_000;
/** Names come from a configuration, not from requests: more than this is a mistake. */
const maxNames = 256;

/** The reading half of an adapter: follows each service that was asked for, from then on until `close`. */
export function followedServices<T, Position>(options: FollowedServicesOptions<T, Position>): Discovery {
  const services = new Map<string, Followed>();
  const follow = (name: string): Followed => {
    const known = services.get(name);
    if (known !== undefined) return known;
    checkServiceName(name);
    if (services.size === maxNames) throw new Error(`${name}: no more than ${maxNames} services can be followed`);
    const added = followed(name, options);
    services.set(name, added);
    return added;
  };
  return {
    discover: async (name) => {
      const service = follow(name);
      await within(firstAnswerMs, `the registry, asked for ${name}`, service.known).catch((error: Error) => {
        const reason = service.mirror.trouble();
        throw reason === undefined ? error : new Error(`${error.message}: ${reason}`);
      });
      return service.instances();
    },
    watch: (name, onChange) => follow(name).listen(onChange),
    close: async () => void (await Promise.all([...services.values()].map((service) => service.close()))),
  };
}

function followed<T, Position>(name: string, options: FollowedServicesOptions<T, Position>): Followed {
  const { source, instancesOf, keepLastMs = 0, log } = options;
  const listeners = new Set<Listener>();
  let instances: readonly ServiceInfo[] | undefined;
  let keepingLast: NodeJS.Timeout | undefined;

  const take = (others: readonly ServiceInfo[]) => {
    if (isDeepStrictEqual(instances, others)) return;
    instances = others;
    log.info({ dependency: name, instances: others.map(({ id }) => id) }, 'instances of a service');
    for (const listener of listeners) listener(others);
  };
  const keepLast = () => {
    keepingLast = setTimeout(() => (copy.trouble() === undefined ? take([]) : keepLast()), keepLastMs);
  };
  const heard = () => {
    clearTimeout(keepingLast);
    const entries = copy.entries();
    if (entries.size === 0 && keepLastMs > 0 && instances !== undefined && instances.length > 0) keepLast();
    else take(instancesOf(entries, name));
  };
  const copy = mirror(source(name), {
    onChange: heard,
    onTrouble: (reason) => {
      if (reason === undefined) log.info({ dependency: name }, 'the registry answers again');
      else log.warn({ dependency: name, reason }, 'the registry does not answer: what was last known counts');
    },
  });
  return {
    instances: () => instances ?? [],
    mirror: copy,
    known: copy.ready.then(heard),
    listen: (listener) => {
      listeners.add(listener);
      if (instances !== undefined) listener(instances);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      clearTimeout(keepingLast);
      listeners.clear();
      await copy.close();
    },
  };
}
