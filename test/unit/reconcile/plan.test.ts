import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Microservice, MicroserviceSpec } from '../../../operator/src/api/microservice.generated.ts';
import type { KubeObject, ObjectMeta } from '../../../operator/src/api/object.ts';
import { desiredChildren } from '../../../operator/src/desired/children.ts';
import { planChanges } from '../../../operator/src/reconcile/plan.ts';
import type { Step } from '../../../operator/src/reconcile/step.ts';
import { validSpecs } from '../../support/arbitrary-spec.ts';
import { liveChildren } from '../../support/live-objects.ts';
import { microservice } from '../../support/microservice.ts';

const autoscaling = { minReplicas: 2, maxReplicas: 5, cpu: 70 };

const plan = (ms: Microservice, children: readonly KubeObject[]) =>
  planChanges(desiredChildren(ms), { microservice: ms, children, pods: [] });
const inShort = (steps: readonly Step[]) =>
  steps.map((step) => `${step.kind} ${'child' in step ? step.child.kind : step.manifest.kind}`);

/** The children of `ms`, with one of them altered. */
function altered(ms: Microservice, kind: string, metadata: Partial<ObjectMeta>, spec: object = {}): KubeObject[] {
  return liveChildren(ms).map((child) =>
    child.kind === kind
      ? {
          ...child,
          metadata: { ...child.metadata, ...metadata },
          spec: { ...(child.spec as object), ...spec },
        }
      : child,
  );
}

const owner = (change: object) => [
  {
    apiVersion: 'microservice-platform.io/v1alpha1',
    kind: 'Microservice',
    name: 'orders',
    uid: 'other',
    controller: true,
    ...change,
  },
];

describe('planChanges', () => {
  it('creates what is not there', () => {
    expect(inShort(plan(microservice(), []))).toEqual([
      'create Deployment',
      'create Service',
      'create PodDisruptionBudget',
      'create ServiceAccount',
    ]);
  });

  it('does nothing when everything is as asked for, whatever is asked for', () => {
    fc.assert(
      fc.property(
        validSpecs.filter(({ autoscaling: it }) => !it),
        (spec) => {
          const ms = microservice({ spec });
          expect(plan(ms, liveChildren(ms))).toEqual([]);
        },
      ),
    );
  });

  it('applies what differs, to that very object, and says where', () => {
    const steps = plan(microservice(), altered(microservice(), 'Deployment', {}, { replicas: 7 }));
    expect(steps).toMatchObject([
      {
        kind: 'apply',
        manifest: { metadata: { uid: 'uid-of-Deployment' } },
        because: expect.stringContaining('spec.replicas'),
      },
    ]);
  });

  it.for<[string, Partial<MicroserviceSpec>, Partial<MicroserviceSpec>, string[]]>([
    ['the Service without ports', {}, { ports: [] }, ['remove Service', 'apply Deployment']],
    ['the autoscaler without autoscaling', { autoscaling }, {}, ['remove HorizontalPodAutoscaler', 'apply Deployment']],
  ])('removes %s', ([, before, after, steps]) => {
    expect(inShort(plan(microservice({ spec: after }), liveChildren(microservice({ spec: before }))))).toEqual(steps);
  });

  it.for<[string, Partial<MicroserviceSpec>, object]>([
    ['gets no address of its own any more', { service: { headless: true } }, { clusterIP: '10.0.0.1' }],
    ['gets an address of its own', {}, { clusterIP: 'None' }],
  ])('makes a Service anew that %s, since Kubernetes does not change that', ([, spec, live]) => {
    const steps = plan(microservice({ spec }), altered(microservice({ spec }), 'Service', {}, live));
    expect(steps).toMatchObject([
      { kind: 'remove', child: { kind: 'Service', uid: 'uid-of-Service' }, because: expect.stringContaining('anew') },
    ]);
  });

  it('leaves a Service alone whose address came from Kubernetes', () => {
    expect(plan(microservice(), altered(microservice(), 'Service', {}, { clusterIP: '10.0.0.1' }))).toEqual([]);
  });

  it('takes out a key that somebody added to the configuration', () => {
    const ms = microservice({ spec: { config: { data: { A: 'a' } } } });
    const children = liveChildren(ms).map((child) =>
      child.kind === 'ConfigMap' ? { ...child, data: { A: 'a', B: 'theirs' } } : child,
    );
    expect(inShort(plan(ms, children))).toEqual(['apply ConfigMap']);
  });

  it.for<[string, ObjectMeta['ownerReferences']]>([
    ['nobody', []],
    ['a Deployment', owner({ kind: 'Deployment' })],
    ['another Microservice', owner({ name: 'payments' })],
    ['somebody who is no controller', owner({ uid: 'uid-of-orders', controller: false })],
  ])('refuses to touch an object of %s', ([, ownerReferences]) => {
    const children = altered(
      microservice(),
      'Service',
      { ownerReferences: ownerReferences ?? [] },
      { type: 'NodePort' },
    );
    expect(inShort(plan(microservice(), children))).toEqual(['refuse Service']);
  });

  it('leaves alone what is foreign and not asked for', () => {
    const children = altered(microservice(), 'Service', { ownerReferences: [] });
    expect(inShort(plan(microservice({ spec: { ports: [] } }), children))).toEqual(['apply Deployment']);
  });

  it('waits for a child of an earlier Microservice of the same name to go', () => {
    const children = altered(microservice(), 'Service', { ownerReferences: owner({}) });
    expect(inShort(plan(microservice(), children))).toEqual(['wait Service']);
  });

  it('waits for a child that is being deleted, and does not delete it twice', () => {
    const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(inShort(plan(microservice(), altered(microservice(), 'Service', going)))).toEqual(['wait Service']);
    const without = microservice({ spec: { ports: [] } });
    expect(inShort(plan(without, altered(microservice(), 'Service', going)))).toEqual(['apply Deployment']);
  });

  describe('handing the replicas over to an autoscaler', () => {
    const scaled = microservice({ spec: { replicas: 3, autoscaling } });

    it('states the live count under another owner before it is left out', () => {
      const steps = plan(scaled, altered(microservice({ spec: { replicas: 3 } }), 'Deployment', {}, { replicas: 4 }));
      expect(inShort(steps)).toEqual(['handover Deployment', 'apply Deployment', 'create HorizontalPodAutoscaler']);
      expect(steps[0]).toMatchObject({
        manifest: {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'orders', namespace: 'shop', uid: 'uid-of-Deployment' },
          spec: { replicas: 4 },
        },
      });
      expect(steps[1]).not.toHaveProperty('manifest.spec.replicas');
    });

    it('starts from the minimum when fewer run', () => {
      const steps = plan(scaled, liveChildren(microservice({ spec: { replicas: 0 } })));
      expect(steps[0]).toMatchObject({ kind: 'handover', manifest: { spec: { replicas: 2 } } });
    });

    it('starts from the minimum when a suspended service is switched on again', () => {
      const suspended = microservice({ spec: { ...scaled.spec, suspend: true } });
      expect(inShort(plan(suspended, altered(scaled, 'Deployment', {}, { replicas: 5 })))).toEqual([
        'remove HorizontalPodAutoscaler',
        'apply Deployment',
      ]);
      const steps = plan(scaled, liveChildren(suspended));
      expect(inShort(steps)).toEqual(['handover Deployment', 'apply Deployment', 'create HorizontalPodAutoscaler']);
      expect(steps[0]).toMatchObject({ manifest: { spec: { replicas: 2 } } });
    });

    it('happens once', () => {
      expect(plan(scaled, altered(scaled, 'Deployment', {}, { replicas: 4 }))).toEqual([]);
    });

    it('happens again when somebody scaled to zero by hand, which would switch the autoscaler off', () => {
      const steps = plan(scaled, altered(scaled, 'Deployment', {}, { replicas: 0 }));
      expect(steps).toMatchObject([{ kind: 'handover', manifest: { spec: { replicas: 2 } } }]);
    });

    it('ends with the replicas of the spec when the autoscaling is taken away', () => {
      const steps = plan(microservice({ spec: { replicas: 3 } }), altered(scaled, 'Deployment', {}, { replicas: 5 }));
      expect(inShort(steps)).toEqual(['remove HorizontalPodAutoscaler', 'apply Deployment']);
      expect(steps[1]).toHaveProperty('manifest.spec.replicas', 3);
    });
  });
});
