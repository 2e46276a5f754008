import { pino } from 'pino';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { registrationOf } from '../../../services/common/src/discovery/registration.ts';
import { eventually } from '../../support/eventually.ts';

const instance = { id: 'orders-1', name: 'orders', address: '10.0.0.1', metadata: {}, tags: [] };

/** A registry that fails as often as it is told to, and writes down what it did. */
function failing(times: number) {
  const did: string[] = [];
  let failures = 0;
  return {
    did,
    failures: () => failures,
    register: async ({ id, port }: { readonly id: string; readonly port: number }) => {
      if (failures < times) {
        failures += 1;
        throw new Error('the registry is away');
      }
      did.push(`register ${id} at ${port}`);
    },
    deregister: async (id: string) => void did.push(`deregister ${id}`),
  };
}

function logOf() {
  const lines: { readonly level: number; readonly msg: string }[] = [];
  return { lines, log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) }) };
}

const ready = { reason: async () => undefined };

const registered = async (metrics: Registry) =>
  (await metrics.getSingleMetric('service_registered')?.get())?.values[0]?.value;

describe('the registration of a service', () => {
  it('is where the service listens, unless it is told another port', async () => {
    const registry = failing(0);
    const all = [instance, { ...instance, port: 80 }].map((it) =>
      registrationOf({ registry, instance: it, readiness: ready, log: logOf().log, metrics: new Registry() }),
    );
    for (const registration of all) registration.begin(8080);
    await eventually(() => expect(registry.did).toEqual(['register orders-1 at 8080', 'register orders-1 at 80']));
    await Promise.all(all.map((registration) => registration.end()));
  });

  it('is tried until it succeeds; the failure is in the log once, and in the metrics as long as it lasts', async () => {
    const registry = failing(3);
    const metrics = new Registry();
    const { lines, log } = logOf();
    const registration = registrationOf({ registry, instance, readiness: ready, log, metrics });
    registration.begin(8080);
    await eventually(() => expect(registry.failures()).toBe(2));
    expect(await registered(metrics)).toBe(0);
    await eventually(async () => expect(await registered(metrics)).toBe(1));
    expect(lines.map(({ msg }) => msg)).toEqual(['the registry could not be told; trying again until it is']);
    await registration.end();
    expect(await registered(metrics)).toBe(0);
  });

  it('waits until the service is ready, outlasts a hiccup, is taken back when it is not, and made again', async () => {
    const registry = failing(0);
    const reasons = [
      'starting',
      undefined,
      'a hiccup',
      undefined,
      'no database',
      'no database',
      'no database',
      undefined,
    ];
    const readiness = { reason: async () => (reasons.length > 1 ? reasons.shift() : reasons[0]) };
    const { lines, log } = logOf();
    const registration = registrationOf({ registry, instance, readiness, log, metrics: new Registry(), everyMs: 1 });
    registration.begin(8080);
    const [come, gone] = ['register orders-1 at 8080', 'deregister orders-1'];
    await eventually(() => expect(registry.did).toEqual([come, gone, come]));
    expect(lines).toMatchObject([{ msg: 'not ready: taken out of the registry', reason: 'no database' }]);
    await registration.end();
  });

  it('ends with a goodbye, also when it has never succeeded, and does not come back', async () => {
    const registry = failing(1);
    const registration = registrationOf({
      registry,
      instance,
      readiness: ready,
      log: logOf().log,
      metrics: new Registry(),
    });
    registration.begin(8080);
    await registration.end();
    registration.begin(8080);
    await registration.end();
    expect(registry.did).toEqual(['deregister orders-1', 'deregister orders-1']);
  });

  it('ends within seconds when the registry does not answer the goodbye, and only says so', async () => {
    const { lines, log } = logOf();
    const registry = { ...failing(0), deregister: () => new Promise<void>(() => undefined) };
    const started = performance.now();
    await registrationOf({ registry, instance, readiness: ready, log, metrics: new Registry() }).end();
    expect(performance.now() - started).toBeLessThan(3_500);
    expect(lines.map(({ msg }) => msg)).toEqual(['no goodbye: the registration ends by itself']);
  });
});
