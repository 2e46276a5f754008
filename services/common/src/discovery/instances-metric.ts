import { Gauge, Registry } from 'prom-client';

const known = new WeakMap<Registry, Map<string, () => number>>();

/** Shows how many instances of a service are known: one gauge for each registry of metrics, however many services. */
export function showInstances(registry = new Registry(), service: string, count: () => number): void {
  const counts = known.get(registry) ?? created(registry);
  known.set(registry, counts);
  counts.set(service, count);
}

function created(registry: Registry): Map<string, () => number> {
  const counts = new Map<string, () => number>();
  new Gauge({
    name: 'discovered_instances',
    help: 'Healthy instances of the services that this one asks, as the registry has them.',
    labelNames: ['dependency'],
    registers: [registry],
    collect() {
      for (const [dependency, count] of counts) this.set({ dependency }, count());
    },
  });
  return counts;
}
