import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childKinds } from '../../../operator/src/api/kinds.ts';
import type { MicroserviceSpec } from '../../../operator/src/api/microservice.generated.ts';
import { desiredChildren } from '../../../operator/src/desired/children.ts';
import { validSpecs, valuesOf } from '../../support/arbitrary-spec.ts';
import { microservice, microserviceSchema } from '../../support/microservice.ts';

const specSchema = microserviceSchema().properties?.spec ?? {};
const kindsOf = (spec: Partial<MicroserviceSpec>) => desiredChildren(microservice({ spec })).map(({ kind }) => kind);

describe('desiredChildren', () => {
  it('is a Deployment, a Service, a disruption budget and an identity', () => {
    expect(kindsOf({})).toEqual(['Deployment', 'Service', 'PodDisruptionBudget', 'ServiceAccount']);
  });

  it('has no Service without ports', () => {
    expect(kindsOf({ ports: [] })).not.toContain('Service');
  });

  it('lets a drain take one pod at a time, however many there are, unless more are allowed', () => {
    const budgetOf = (spec: Partial<MicroserviceSpec>) =>
      desiredChildren(microservice({ spec })).find(({ kind }) => kind === 'PodDisruptionBudget')?.spec;
    expect(budgetOf({ replicas: 1 })).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
    expect(budgetOf({ disruption: { maxUnavailable: 2 } })).toMatchObject({ maxUnavailable: 2 });
  });

  it('has no identity of its own where another one is named', () => {
    expect(kindsOf({ serviceAccount: { name: 'reader' } })).not.toContain('ServiceAccount');
  });

  it('has a ConfigMap where there is configuration', () => {
    expect(kindsOf({})).not.toContain('ConfigMap');
    expect(kindsOf({ config: { data: { A: 'a' } } })).toContain('ConfigMap');
  });

  it('has no autoscaler while suspended', () => {
    expect(kindsOf({ suspend: true, autoscaling: { maxReplicas: 3, cpu: 70 } })).not.toContain(
      'HorizontalPodAutoscaler',
    );
  });

  it('has an autoscaler when one is asked for', () => {
    expect(kindsOf({ autoscaling: { maxReplicas: 3, cpu: 70 } })).toContain('HorizontalPodAutoscaler');
  });

  it('never throws, whatever the schema lets through', () => {
    fc.assert(
      fc.property(valuesOf(specSchema), (spec) => {
        desiredChildren(microservice({ spec: spec as MicroserviceSpec }));
      }),
      { numRuns: 500 },
    );
  });

  it('is the same, byte for byte, for the same Microservice', () => {
    fc.assert(
      fc.property(validSpecs, (spec) => {
        const copy = structuredClone(spec);
        const [first, second] = [spec, copy].map((it) => JSON.stringify(desiredChildren(microservice({ spec: it }))));
        expect(first).toBe(second);
      }),
    );
  });

  it('does not depend on status, generation or resourceVersion, so that a status write changes nothing', () => {
    const before = microservice();
    const after = microservice({
      metadata: { generation: 7, resourceVersion: '99' },
      status: { observedGeneration: 7, replicas: 2 },
    });
    expect(desiredChildren(after)).toEqual(desiredChildren(before));
  });

  it('carries name, namespace, labels, controller and hash on every child, and only kinds that are watched', () => {
    const ms = microservice({ spec: { autoscaling: { maxReplicas: 3, cpu: 70 }, config: { data: { A: 'a' } } } });
    const watched = childKinds.map(({ kind, apiVersion }) => `${apiVersion} ${kind}`);
    for (const { apiVersion, kind, metadata } of desiredChildren(ms)) {
      expect(watched).toContain(`${apiVersion} ${kind}`);
      expect(metadata).toMatchObject({
        name: 'orders',
        namespace: 'shop',
        labels: {
          'app.kubernetes.io/name': 'orders',
          'app.kubernetes.io/managed-by': 'microservice-platform',
          'microservice-platform.io/microservice': 'orders',
        },
        annotations: { 'microservice-platform.io/desired-hash': expect.stringMatching(/^[0-9a-f]{32}$/) },
        ownerReferences: [
          {
            apiVersion: 'microservice-platform.io/v1alpha1',
            kind: 'Microservice',
            name: 'orders',
            uid: 'uid-of-orders',
            controller: true,
          },
        ],
      });
    }
  });
});
