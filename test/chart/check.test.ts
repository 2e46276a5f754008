import { describe, expect, it } from 'vitest';
import { find, ofKind, platformNamespace, render, type Wire } from './rendered.ts';

const objects = render();
const hooks = objects.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook']);
const environment = (from: readonly Wire[]) =>
  Object.fromEntries(
    find(from, 'Pod', 'platform-check').spec.containers[0].env.map(({ name, value }: Wire) => [name, value]),
  );

describe('what helm test runs', () => {
  it('is no part of the release, and is removed however it ends', () => {
    expect(hooks.map(({ kind }): string => kind).sort()).toEqual([
      'ConfigMap',
      'Pod',
      'Role',
      'RoleBinding',
      'ServiceAccount',
    ]);
    for (const { metadata } of hooks) {
      expect(metadata.annotations).toMatchObject({
        'helm.sh/hook': 'test',
        'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded,hook-failed',
      });
    }
  });

  it('may make a Microservice in its namespace, read and remove that one, and nothing else', () => {
    expect(find(objects, 'Role', 'platform-check').rules).toEqual([
      { apiGroups: ['microservice-platform.io'], resources: ['microservices'], verbs: ['create'] },
      {
        apiGroups: ['microservice-platform.io'],
        resources: ['microservices'],
        resourceNames: ['platform-test'],
        verbs: ['get', 'delete'],
      },
    ]);
  });

  it('asks Services and ports that are there', () => {
    const addresses = ofKind(objects, 'Service').flatMap(({ metadata, spec }) =>
      spec.ports.map(({ port }: Wire) => `http://${metadata.name}.${platformNamespace}.svc:${port}`),
    );
    const { OTLP, JAEGER, PROMETHEUS } = environment(objects);
    expect(addresses).toEqual(expect.arrayContaining([OTLP, JAEGER, PROMETHEUS]));
  });

  it('leaves out what is not embedded', () => {
    const { OTLP, JAEGER, PROMETHEUS } = environment(render({ tracing: { mode: 'none' }, metrics: { mode: 'none' } }));
    expect([OTLP, JAEGER, PROMETHEUS]).toEqual([undefined, undefined, undefined]);
  });
});
