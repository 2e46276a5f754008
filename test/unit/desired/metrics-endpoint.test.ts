import type { V1DeploymentSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { MicroserviceSpec } from '../../../operator/src/api/microservice.generated.ts';
import { deployment } from '../../../operator/src/desired/deployment.ts';
import { microservice } from '../../support/microservice.ts';

const annotationsOf = (spec: Partial<MicroserviceSpec>) =>
  (deployment(microservice({ spec })).spec as V1DeploymentSpec).template.metadata?.annotations;

const ports = [
  { name: 'grpc', containerPort: 50051 },
  { name: 'http', containerPort: 8080 },
  { name: 'admin', containerPort: 9090 },
];

describe('the pods of a service that says where its metrics are', () => {
  it.each([
    [{}, '8080', '/metrics'],
    [{ port: 'admin' }, '9090', '/metrics'],
    [{ port: 'admin', path: '/internal/metrics' }, '9090', '/internal/metrics'],
    [{ enabled: true }, '8080', '/metrics'],
  ])('with %j are asked at port %s and path %s', (metrics, port, path) => {
    expect(annotationsOf({ ports, observability: { metrics } })).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': port,
      'prometheus.io/path': path,
    });
  });

  it('are asked at the first TCP port where none is named http', () => {
    const others = [
      { name: 'dns', containerPort: 53, protocol: 'UDP' as const },
      { name: 'admin', containerPort: 9090 },
    ];
    expect(annotationsOf({ ports: others, observability: { metrics: {} } })?.['prometheus.io/port']).toBe('9090');
  });

  it('are not asked where they are not to be', () => {
    expect(annotationsOf({ ports, observability: { metrics: { enabled: false } } })).toEqual({
      'prometheus.io/scrape': 'false',
    });
  });

  it('keep what podAnnotations say of it', () => {
    const podAnnotations = { 'prometheus.io/path': '/mine', team: 'orders' };
    expect(annotationsOf({ ports, podAnnotations, observability: { metrics: {} } })).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8080',
      'prometheus.io/path': '/mine',
      team: 'orders',
    });
  });
});

it('pods of a service that says nothing of metrics get no annotation', () => {
  expect(annotationsOf({ ports, observability: { slo: { availability: '99.9' } } })).toBeUndefined();
});
