import { describe, expect, it } from 'vitest';
import type { MicroserviceStatus } from '../../../operator/src/api/microservice.generated.ts';
import { worthWriting } from '../../../operator/src/reconcile/report.ts';

const start = Date.parse('2026-01-01T00:00:00Z');

function status(ready: number, wanted: number, type: 'Reconciling' | 'Stalled' | undefined): MicroserviceStatus {
  const condition = {
    reason: 'Progressing',
    message: 'm',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
  };
  return {
    observedGeneration: 1,
    conditions: [
      { type: 'Ready', status: type ? 'False' : 'True', ...condition },
      ...(type ? [{ type, status: 'True' as const, ...condition }] : []),
    ],
    replicas: wanted,
    readyReplicas: ready,
    pods: `${ready}/${wanted}`,
  };
}

const judge = (before: MicroserviceStatus | undefined, after: MicroserviceStatus, seconds: number) =>
  worthWriting(before, after, new Date(start + seconds * 1000));

describe('a status', () => {
  it('is written when there is none, and never twice', () => {
    const rolling = status(0, 2, 'Reconciling');
    expect(judge({ observedGeneration: -1 }, rolling, 0)).toEqual({ write: true });
    expect(judge(rolling, structuredClone(rolling), 99)).toEqual({ write: false });
  });

  it('is not written for a ready pod on the way, in the first ten seconds of a rollout', () => {
    const [before, after] = [status(0, 2, 'Reconciling'), status(1, 2, 'Reconciling')];
    expect(judge(before, after, 4)).toEqual({ write: false, lookAgainMs: 6_000 });
    expect(judge(before, after, 10)).toEqual({ write: true });
  });

  it('is written at most ten times on the way, however many pods there are', () => {
    let written = status(0, 300, 'Reconciling');
    let writes = 0;
    for (let ready = 1; ready <= 300; ready += 1) {
      const next = status(ready, 300, 'Reconciling');
      if (!judge(written, next, 60).write) continue;
      written = next;
      writes += 1;
    }
    expect(writes).toBe(10);
  });

  it('is written at once when the number of pods changes and nothing is going on', () => {
    expect(judge(status(2, 2, undefined), status(3, 3, undefined), 0)).toEqual({ write: true });
    expect(judge(status(0, 2, 'Stalled'), status(1, 2, 'Stalled'), 0)).toEqual({ write: true });
  });

  it('is written at once when the end comes, numbers and all', () => {
    expect(judge(status(0, 2, 'Reconciling'), status(2, 2, undefined), 1)).toEqual({ write: true });
  });
});
