import { describe, expect, it } from 'vitest';
import { falsehoodsIn } from '../../faults/false-ready.ts';
import type { Sight } from '../../faults/observer.ts';
import { deedProblems, deedsIn, stateProblems, truthProblems } from '../../faults/oracles.ts';
import { stateOf, withoutVersions } from '../../faults/state.ts';
import type { Wire } from '../../support/kube-api.ts';

/** A Microservice, its Deployment and a version of its pods, as they are in a namespace when all is well. */
function objectsIn(namespace: string, uid: string): Wire[] {
  const owner = (kind: string, of: string) => [{ apiVersion: 'v1', kind, name: 'orders', uid: of, controller: true }];
  const ready = { type: 'Ready', status: 'True', reason: 'Available', lastTransitionTime: uid };
  const container = { name: 'orders', image: 'a:1' };
  return [
    {
      kind: 'Microservice',
      metadata: { namespace, name: 'orders', uid, generation: 3 },
      spec: { image: 'a:1', replicas: 2 },
      status: { observedGeneration: 3, url: `http://orders.${namespace}.svc:80`, conditions: [ready] },
    },
    {
      kind: 'Deployment',
      metadata: {
        namespace,
        name: 'orders',
        uid: `d-${uid}`,
        generation: 2,
        ownerReferences: owner('Microservice', uid),
      },
      spec: { replicas: 2, template: { spec: { containers: [container] } } },
      status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
    },
    {
      kind: 'ReplicaSet',
      metadata: { namespace, name: 'orders-1', uid: `r-${uid}`, ownerReferences: owner('Deployment', `d-${uid}`) },
      spec: { replicas: 2 },
    },
  ];
}

/** The object with something else at the end of a path. */
function withOther(object: Wire, path: string, value: unknown): Wire {
  const [key = '', ...rest] = path.split('.');
  const other = rest.length === 0 ? value : withOther(object[key] ?? {}, rest.join('.'), value);
  return { ...object, [key]: other };
}

let versions = 0n;
function sight(type: Sight['type'], object: Wire): Sight {
  versions += 1n;
  return { type, object, version: versions, at: Number(versions) };
}

describe('the state of a namespace', () => {
  const state = stateOf(objectsIn('plan-0001', 'u1'), 'plan-0001');

  it('is the same in another namespace in which the same was done', () => {
    expect(stateProblems(stateOf(objectsIn('plan-0002', 'u2'), 'plan-0002'), state)).toEqual([]);
  });

  it.for<[string, number, string, unknown]>([
    ['a spec', 1, 'spec.replicas', 3],
    ['a label', 1, 'metadata.labels', { team: 'a' }],
    ['an owner that is gone', 1, 'metadata.ownerReferences', [{ kind: 'Microservice', name: 'orders', uid: 'u0' }]],
    ['no owner', 1, 'metadata.ownerReferences', undefined],
    ['that it is going', 1, 'metadata.deletionTimestamp', 'now'],
    ['a condition', 0, 'status.conditions', []],
    ['a status that is behind', 0, 'status.observedGeneration', 2],
  ])('tells of another one: %s', ([, index, path, value]) => {
    const objects = objectsIn('plan-0001', 'u1');
    objects[index] = withOther(objects[index], path, value);
    expect(stateProblems(stateOf(objects, 'plan-0001'), state)).toHaveLength(1);
  });

  it('tells of an object too many, one too few, and a version of pods that is left', () => {
    const objects = objectsIn('plan-0001', 'u1');
    expect(stateProblems(stateOf(objects.slice(0, 2), 'plan-0001'), state)).toEqual([
      'O1 end state: there is no ReplicaSet/orders-1',
    ]);
    const more = [...objects, { kind: 'ConfigMap', metadata: { name: 'orders' } }];
    expect(stateProblems(stateOf(more, 'plan-0001'), state)).toEqual(['O1 end state: there is a ConfigMap/orders']);
    expect(Object.keys(withoutVersions(state))).not.toContain('ReplicaSet/orders-1');
    const named = (version: string) => withoutVersions({ Pods: JSON.stringify({ [version]: '2 of 2 are ready' }) });
    expect(named('.a')).toEqual(named('.b'));
  });

  it('counts pods by version, and those that are ready', () => {
    const pod = (name: string, status: string) => ({
      kind: 'Pod',
      metadata: { name, labels: { 'pod-template-hash': '1' } },
      status: { conditions: [{ type: 'Ready', status }] },
    });
    const { Pods } = stateOf([pod('a', 'True'), pod('b', 'False')], 'plan-0001');
    expect(Pods).toBe('{"1":"1 of 2 are ready"}');
  });
});

describe('what was done', () => {
  const [, deployment, replicaSet] = objectsIn('n', 'u');
  const once = [sight('ADDED', deployment), sight('ADDED', replicaSet)];

  it('tells of an object that was deleted and made anew', () => {
    const again = withOther(deployment, 'metadata.uid', 'other');
    const found = deedsIn([...once, sight('DELETED', deployment), sight('ADDED', again)]);
    expect(deedProblems(found, deedsIn(once))).toEqual([
      'O2 counts: Deployment/orders: 2 created, 1 deleted; without a fault: 1 created, 0 deleted',
      'O3 rollouts: generations of the Deployment 2, 2; without a fault: 2',
    ]);
  });

  it('tells of a rollout that nobody asked for, and of one change too many', () => {
    const changed = sight('MODIFIED', withOther(deployment, 'metadata.generation', 3));
    const other = sight('ADDED', withOther(replicaSet, 'metadata.name', 'orders-2'));
    expect(deedProblems(deedsIn([...once, changed, other]), deedsIn(once))).toEqual([
      'O2 counts: ReplicaSet/orders-2: 1 created, 0 deleted; without a fault: never there',
      'O3 rollouts: generations of the Deployment 3; without a fault: 2',
      'O3 rollouts: 2 versions of pods; without a fault: 1',
    ]);
  });

  it('says nothing where the same was done', () => {
    expect(deedProblems(deedsIn(once), deedsIn(once))).toEqual([]);
  });
});

describe('a Microservice that says it is ready', () => {
  const [microservice, deployment] = objectsIn('n', 'u');
  const before = [sight('ADDED', deployment)];

  it('says the truth when its children are as it asks', () => {
    expect(falsehoodsIn([...before, sight('ADDED', microservice)])).toEqual([]);
  });

  it.for<[string, string, unknown, string]>([
    ['run another image', 'spec.template.spec.containers', [{ name: 'orders', image: 'a:0' }], 'the image is a:0'],
    ['are not all there', 'status.availableReplicas', 1, '1 of 2 pods are available'],
    ['are of an older version', 'status.updatedReplicas', 1, '2 of 2 pods are available'],
    ['are not known to Kubernetes yet', 'status.observedGeneration', 1, 'Kubernetes has not seen the Deployment'],
    ['are asked for in another number', 'spec.replicas', 1, '1 pods are asked for'],
    ['belong to somebody else', 'metadata.ownerReferences', [], 'there is no Deployment'],
  ])('lies while its pods %s', ([, path, value, because]) => {
    const behind = sight('ADDED', withOther(deployment, path, value));
    const said = sight('ADDED', microservice);
    const mended = sight('MODIFIED', deployment);
    expect(falsehoodsIn([behind, said, mended])).toEqual([{ because, isLie: true, forMs: mended.at - said.at }]);
  });

  it('does not lie when somebody else changes a child after that', () => {
    const history = [...before, sight('ADDED', microservice), sight('DELETED', deployment)];
    expect(falsehoodsIn(history)).toMatchObject([{ isLie: false, because: 'there is no Deployment' }]);
    expect(truthProblems(history)).toEqual([]);
  });

  it('says nothing about a spec that it has not seen', () => {
    const edited = withOther(microservice, 'metadata.generation', 4);
    expect(falsehoodsIn([sight('ADDED', edited)])).toEqual([]);
  });

  it('does not end to lie before it is true', () => {
    expect(truthProblems([sight('ADDED', microservice)])).toEqual([
      'C18 false Ready for Infinity ms: there is no Deployment',
    ]);
  });
});
