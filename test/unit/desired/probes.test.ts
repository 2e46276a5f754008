import { describe, expect, it } from 'vitest';
import type { MicroserviceSpec } from '../../../operator/src/api/microservice.generated.ts';
import { type ProbeName, probeInWords, probeOf } from '../../../operator/src/desired/probes.ts';
import { microservice } from '../../support/microservice.ts';

const probe = (name: ProbeName, spec: Partial<MicroserviceSpec> = {}) => probeOf(microservice({ spec }), name);
const port = { name: 'http', containerPort: 8080 };

describe('probes', () => {
  it('try the first TCP port by default: readiness patiently, startup every second for a minute', () => {
    const ports = [{ name: 'dns', containerPort: 53, protocol: 'UDP' as const }, port];
    expect(probe('readiness', { ports })).toEqual({
      tcpSocket: { port: 'http' },
      initialDelaySeconds: 0,
      periodSeconds: 5,
      timeoutSeconds: 2,
      failureThreshold: 3,
      successThreshold: 1,
    });
    expect(probe('startup', { ports })).toMatchObject({
      tcpSocket: { port: 'http' },
      periodSeconds: 1,
      failureThreshold: 60,
    });
  });

  it('include no liveness unless it is asked for', () => {
    expect(probe('liveness')).toBeUndefined();
    expect(probe('liveness', { probes: { liveness: {} } })).toMatchObject({
      tcpSocket: { port: 'http' },
      periodSeconds: 10,
    });
  });

  it('are left out where there is no TCP port to try', () => {
    expect(probe('readiness', { ports: [] })).toBeUndefined();
    expect(probe('readiness', { ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] })).toBeUndefined();
  });

  it('merge what is asked for over the default', () => {
    expect(probe('readiness', { probes: { readiness: { failureThreshold: 9 } } })).toMatchObject({
      tcpSocket: { port: 'http' },
      periodSeconds: 5,
      failureThreshold: 9,
    });
    expect(probe('readiness', { probes: { readiness: { httpGet: { path: '/readyz' } } } })).toMatchObject({
      httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' },
      periodSeconds: 5,
    });
  });

  it.for([
    [
      { httpGet: { path: '/a', port: 9090, scheme: 'HTTPS' } },
      { path: '/a', port: 9090, scheme: 'HTTPS' },
      'httpGet',
      'GET /a on port 9090',
    ],
    [{ tcpSocket: {} }, { port: 'http' }, 'tcpSocket', 'TCP connection to port http'],
    [{ grpc: { port: 50051 } }, { port: 50051, service: '' }, 'grpc', 'gRPC health check on port 50051'],
    [{ exec: { command: ['a', 'b'] } }, { command: ['a', 'b'] }, 'exec', 'command a b'],
  ] as const)('take the action %o', ([readiness, expected, action, words]) => {
    const built = probe('readiness', { probes: { readiness } });
    expect(built?.[action]).toEqual(expected);
    expect(probeInWords(built ?? {})).toBe(words);
  });
});
