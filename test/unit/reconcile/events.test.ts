import { describe, expect, it } from 'vitest';
import type { MicroserviceStatus } from '../../../operator/src/api/microservice.generated.ts';
import { transitionEvent } from '../../../operator/src/reconcile/events.ts';
import type { Verdict } from '../../../operator/src/reconcile/verdict.ts';
import { microservice } from '../../support/microservice.ts';

const parts = { what: 'a', where: 'b', remedy: 'c' };
const available: Verdict = { kind: 'ready', reason: 'Available', ...parts };
const progressing: Verdict = { kind: 'reconciling', reason: 'Progressing', ...parts };
const crashing: Verdict = { kind: 'reconciling', reason: 'CrashLoop', ...parts };

function status(ready: 'True' | 'False'): MicroserviceStatus {
  const rest = { reason: 'x', message: `ready ${ready}`, lastTransitionTime: '', observedGeneration: 1 };
  return { conditions: [{ type: 'Ready', status: ready, ...rest }] };
}

const event = (before: MicroserviceStatus | undefined, after: MicroserviceStatus, verdict: Verdict) =>
  transitionEvent(microservice(), before, after, verdict);

describe('an event', () => {
  it('tells that a Microservice became ready', () => {
    const expected = { type: 'Normal', reason: 'Available', action: 'Reconcile', note: 'ready True' };
    expect(event(status('False'), status('True'), available)).toMatchObject(expected);
    expect(event({ observedGeneration: -1 }, status('True'), available)).toMatchObject(expected);
  });

  it('tells that it stopped being ready, as a warning unless somebody asked for a change', () => {
    expect(event(status('True'), status('False'), crashing)).toMatchObject({
      type: 'Warning',
      reason: 'CrashLoop',
    });
    expect(event(status('True'), status('False'), progressing)).toMatchObject({ type: 'Normal' });
  });

  it('tells nothing else', () => {
    expect(event({ observedGeneration: -1 }, status('False'), progressing)).toBeUndefined();
    expect(event(undefined, status('False'), progressing)).toBeUndefined();
    expect(event(status('False'), status('False'), crashing)).toBeUndefined();
    expect(event(status('True'), status('True'), available)).toBeUndefined();
  });
});
