import { describe, expect, it } from 'vitest';
import type { Port } from '../../../operator/src/api/microservice.generated.ts';
import { service, serviceUrl } from '../../../operator/src/desired/service.ts';
import { microservice } from '../../support/microservice.ts';

describe('service', () => {
  it('offers each port under its service port, or else its own number, and leads to the pods by name', () => {
    const ports: Port[] = [
      { name: 'http', containerPort: 8080, servicePort: 80, appProtocol: 'http' },
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
    ];
    expect(service(microservice(), ports).spec).toEqual({
      type: 'ClusterIP',
      selector: { 'microservice-platform.io/microservice': 'orders' },
      ports: [
        { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' },
        { name: 'dns', port: 53, targetPort: 'dns', protocol: 'UDP' },
      ],
    });
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
