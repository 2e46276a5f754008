import type { V1ServiceSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Port, ServiceOptions } from '../../../operator/src/api/microservice.generated.ts';
import { type ServiceType, service, serviceUrl } from '../../../operator/src/desired/service.ts';
import { microservice } from '../../support/microservice.ts';

describe('service', () => {
  it('offers each port under its service port, or else its own number, and leads to the pods by name', () => {
    const ports: Port[] = [
      { name: 'http', containerPort: 8080, servicePort: 80, appProtocol: 'http' },
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
    ];
    expect(service(microservice(), ports, ['ClusterIP']).spec).toEqual({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      selector: { 'microservice-platform.io/microservice': 'orders' },
      ports: [
        { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' },
        { name: 'dns', port: 53, targetPort: 'dns', protocol: 'UDP' },
      ],
    });
  });
});

describe('the type of a service', () => {
  const ports: Port[] = [{ name: 'http', containerPort: 8080, nodePort: 30080 }];
  const specOf = (options: ServiceOptions, allowed: readonly ServiceType[]) =>
    service(microservice({ spec: { service: options } }), ports, allowed).spec as V1ServiceSpec;

  it('is what is asked for where that is allowed', () => {
    expect(specOf({ type: 'NodePort' }, ['ClusterIP', 'NodePort'])).toMatchObject({
      type: 'NodePort',
      externalTrafficPolicy: 'Cluster',
      ports: [{ nodePort: 30080 }],
    });
  });

  it('is ClusterIP where that is not allowed, without a trace of the other', () => {
    const spec = specOf({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] }, ['ClusterIP']);
    expect(spec).toEqual(specOf({}, ['ClusterIP']));
    expect(JSON.stringify(spec)).not.toContain('30080');
  });

  it('has no address of its own when it is headless', () => {
    expect(specOf({ headless: true }, ['ClusterIP']).clusterIP).toBe('None');
  });
});

describe('serviceUrl', () => {
  it.for<[Port[], string | undefined]>([
    [[{ name: 'http', containerPort: 8080 }], 'http://orders.shop.svc:8080'],
    [[{ name: 'http', containerPort: 8080, servicePort: 80 }], 'http://orders.shop.svc:80'],
    [[{ name: 'https-api', containerPort: 8443 }], 'https://orders.shop.svc:8443'],
    [[{ name: 'web', containerPort: 8080, appProtocol: 'http' }], 'http://orders.shop.svc:8080'],
    [
      [
        { name: 'grpc', containerPort: 50051 },
        { name: 'http', containerPort: 8080 },
      ],
      'http://orders.shop.svc:8080',
    ],
    [[{ name: 'grpc', containerPort: 50051 }], undefined],
    [[{ name: 'http', containerPort: 8080, protocol: 'UDP' }], undefined],
    [[], undefined],
  ])('of %o is %s', ([ports, url]) => {
    expect(serviceUrl(microservice({ spec: { ports } }))).toBe(url);
  });
});
