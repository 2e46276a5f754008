import { describe, expect, it } from 'vitest';
import type { MicroserviceStatus } from '../../../operator/src/api/microservice.generated.ts';
import type { Budgets } from '../../../operator/src/api/objectives.ts';
import { sloStatus } from '../../../operator/src/reconcile/slo.ts';
import { microservice } from '../../support/microservice.ts';

const slo = { availability: '99.9', latency: { p95: '250ms' } } as const;
const said = (budgets: Budgets, status?: MicroserviceStatus) =>
  sloStatus(microservice({ spec: { observability: { slo } }, ...(status && { status }) }), budgets);

const availability = { name: 'availability', objective: '99.9%' };
const latency = { name: 'latency', objective: '95%', target: '250ms' };

describe('the status of objectives', () => {
  it('says what is left of each budget, and the least of them', () => {
    expect(said({ kind: 'known', left: { availability: 87, latency: 91 } })).toEqual({
      slo: [
        { ...availability, budgetLeft: '87%' },
        { ...latency, budgetLeft: '91%' },
      ],
      budget: '87%',
    });
  });

  it('says that there are no figures, of a latency also that its bucket may be missing', () => {
    const { slo: entries, budget } = said({ kind: 'known', left: { availability: -12 } });
    expect(entries?.[1]).toEqual({
      ...latency,
      note: 'no data: Prometheus has counted no requests of this service yet, or its histogram has no bucket of 0.25 s',
    });
    expect(budget).toBe('-12%');
  });

  it('says why nothing is known', () => {
    expect(said({ kind: 'unknown', because: 'not known: Prometheus cannot be reached' })).toEqual({
      slo: [availability, latency].map((it) => ({ ...it, note: 'not known: Prometheus cannot be reached' })),
    });
  });

  it('stays as it was while nobody has answered, but not of another objective', () => {
    const before = {
      observedGeneration: 1,
      slo: [
        { ...availability, budgetLeft: '87%' },
        { ...latency, objective: '90%', budgetLeft: '50%' },
      ],
    };
    expect(said({ kind: 'unasked' }, before)).toEqual({
      slo: [
        { ...availability, budgetLeft: '87%' },
        { ...latency, note: 'not known yet: Prometheus is asked within a minute' },
      ],
      budget: '87%',
    });
  });

  it('is not there without objectives', () => {
    expect(sloStatus(microservice(), { kind: 'known', left: { availability: 1 } })).toEqual({});
  });
});
