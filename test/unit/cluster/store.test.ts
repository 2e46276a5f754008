import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { microserviceLabel } from '../../../operator/src/api/labels.ts';
import type { KubeObject } from '../../../operator/src/api/object.ts';
import { idOf, keyOf, Store, trimmed } from '../../../operator/src/cluster/store.ts';

function object(name: string, microservice?: string, resourceVersion = '10', namespace = 'shop'): KubeObject {
  const labels = microservice === undefined ? {} : { [microserviceLabel]: microservice };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name, uid: `uid-of-${name}`, resourceVersion, labels },
  };
}

const names = (objects: Iterable<KubeObject>) => [...objects].map(({ metadata }) => metadata.name).sort();
const orders = { namespace: 'shop', name: 'orders' };

describe('a store', () => {
  test('finds objects by name and by the Microservice that their label names', () => {
    const store = new Store();
    for (const each of [object('a', 'orders'), object('b', 'orders'), object('c', 'users'), object('d')])
      store.put(each);
    store.put(object('e', 'orders', '10', 'elsewhere'));

    expect(names(store.of(orders))).toEqual(['a', 'b']);
    expect(store.get({ namespace: 'shop', name: 'd' })).toEqual(object('d'));
  });

  test('moves an object to another Microservice when its label changes, and out when it goes', () => {
    const store = new Store();
    store.put(object('a', 'orders'));
    store.put(object('a', 'users', '11'));

    expect(names(store.of(orders))).toEqual([]);
    expect(names(store.of({ namespace: 'shop', name: 'users' }))).toEqual(['a']);
    store.put(object('a', undefined, '12'));
    expect(names(store.of({ namespace: 'shop', name: 'users' }))).toEqual([]);
  });

  test('tells what a complete list changes: what came, what went, what is different, nothing else', () => {
    const store = new Store();
    for (const each of [object('same'), object('old'), object('changed')]) store.put(each);
    const changes = store.replace([object('same'), object('changed', undefined, '11'), object('new')]);

    expect(changes).toEqual([
      { before: object('old'), after: undefined },
      { before: object('changed'), after: object('changed', undefined, '11') },
      { before: undefined, after: object('new') },
    ]);
    expect(names(store.all())).toEqual(['changed', 'new', 'same']);
  });

  test('has an index that always agrees with its objects', () => {
    const microservice = fc.constantFrom('orders', 'users', undefined);
    const action = fc.record({ name: fc.constantFrom('a', 'b', 'c'), microservice, gone: fc.boolean() });
    fc.assert(
      fc.property(fc.array(action), (actions) => {
        const store = new Store();
        for (const { name, microservice, gone } of actions) {
          if (gone) store.delete({ namespace: 'shop', name });
          else store.put(object(name, microservice));
        }
        for (const name of ['orders', 'users']) {
          const labelled = [...store.all()].filter(({ metadata }) => metadata.labels?.[microserviceLabel] === name);
          expect(names(store.of({ namespace: 'shop', name }))).toEqual(names(labelled));
        }
      }),
    );
  });
});

test('an object is kept without its field owners and without the copy that kubectl leaves', () => {
  const whole = {
    ...object('a'),
    metadata: {
      ...object('a').metadata,
      managedFields: [{ manager: 'kubectl' }],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', team: 'shop' },
    },
  };

  expect(trimmed(whole)).toEqual({
    ...object('a'),
    metadata: { ...object('a').metadata, annotations: { team: 'shop' } },
  });
});

test('a key and its text name the same object', () => {
  expect(keyOf(idOf(orders))).toEqual(orders);
});
