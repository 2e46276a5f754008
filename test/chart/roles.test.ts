import { describe, expect, it } from 'vitest';
import { find, names, ofKind, render, type Wire } from './rendered.ts';

const objects = render();
const group = 'microservice-platform.io';
const aggregation = (role: Wire) =>
  Object.keys(role.metadata.labels).flatMap((label) => /^rbac.*\/aggregate-to-(.+)$/.exec(label)?.[1] ?? []);

describe('the roles for people', () => {
  it('let whoever may view a namespace see its Microservices, and do nothing about them', () => {
    const role = find(objects, 'ClusterRole', 'microservice-platform-view');
    expect(aggregation(role)).toEqual(['view']);
    expect(role.rules).toEqual([
      {
        apiGroups: [group],
        resources: ['microservices', 'microservices/status'],
        verbs: ['get', 'list', 'watch'],
      },
    ]);
  });

  it('let whoever may edit a namespace change and scale its Microservices', () => {
    const role = find(objects, 'ClusterRole', 'microservice-platform-edit');
    expect(aggregation(role)).toEqual(['edit', 'admin']);
    expect(role.rules).toEqual([
      {
        apiGroups: [group],
        resources: ['microservices'],
        verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
      },
      { apiGroups: [group], resources: ['microservices/scale'], verbs: ['get', 'update', 'patch'] },
    ]);
  });

  it('let nobody but the operator write a status', () => {
    const writers = ofKind(objects, 'ClusterRole').filter(({ rules }) =>
      rules.some(
        ({ resources, verbs }: Wire) =>
          resources.some((resource: string) => /^(microservices\/status|.*\*.*)$/.test(resource)) &&
          verbs.some((verb: string) => !['get', 'list', 'watch'].includes(verb)),
      ),
    );
    expect(writers.map(({ metadata }) => metadata.name)).toEqual(['microservice-platform-operator']);
  });

  it('are bound to nobody by the chart, and are left out where they are not wanted', () => {
    const bound = [...ofKind(objects, 'ClusterRoleBinding'), ...ofKind(objects, 'RoleBinding')];
    expect(bound.map(({ roleRef }) => roleRef.name)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/-(view|edit)$/)]),
    );
    const without = names(render({ rbac: { aggregate: false } }), 'ClusterRole');
    expect(without).toEqual(names(objects, 'ClusterRole').filter((name) => !/-(view|edit)$/.test(name)));
    expect(without).not.toEqual(names(objects, 'ClusterRole'));
  });
});
