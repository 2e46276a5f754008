import { describe, expect, it } from 'vitest';
import { type EndpointSlice, instancesIn } from '../../../services/common/src/discovery/endpoint-slices.ts';

const metadata = { name: 'orders-abc' };
const http = { name: 'http', port: 8080 };
const pod = { addresses: ['10.0.0.1'], targetRef: { name: 'orders-1' } };

const addresses = (slice: Omit<EndpointSlice, 'metadata'>, portName = 'http') =>
  instancesIn([{ metadata, ...slice }], 'orders', portName).map(({ address, port }) => `${address} ${port}`);

describe('the instances in EndpointSlices', () => {
  it.each([
    ['is ready', { ready: true, serving: true, terminating: false }, true],
    ['states nothing', {}, true],
    ['is not ready', { ready: false, serving: false, terminating: false }, false],
    ['serves its last requests', { ready: false, serving: true, terminating: true }, false],
    [
      'is ready although it terminates, as the Service wishes',
      { ready: true, serving: true, terminating: true },
      false,
    ],
    ['is ready although it does not serve', { ready: true, serving: false, terminating: false }, false],
  ])('count one that %s as the API means it', (_, conditions, healthy) => {
    const found = addresses({ endpoints: [{ ...pod, conditions }], ports: [http] });
    expect(found).toEqual(healthy ? ['10.0.0.1 8080'] : []);
  });

  it('are at the port of that name, or at the only one', () => {
    const ports = [{ name: 'metrics', port: 9090 }, http];
    expect(addresses({ endpoints: [pod], ports })).toEqual(['10.0.0.1 8080']);
    expect(addresses({ endpoints: [pod], ports }, 'metrics')).toEqual(['10.0.0.1 9090']);
    expect(addresses({ endpoints: [pod], ports }, 'grpc')).toEqual([]);
    expect(addresses({ endpoints: [pod], ports: [{ name: '', port: 80 }] })).toEqual(['10.0.0.1 80']);
  });

  it('are none where a slice has no endpoints or no ports, as the API writes it', () => {
    expect(addresses({ endpoints: null, ports: [http] })).toEqual([]);
    expect(addresses({ endpoints: [pod], ports: null })).toEqual([]);
    expect(addresses({})).toEqual([]);
  });

  it('are one for a pod that is in two slices', () => {
    const slice = { metadata, endpoints: [pod], ports: [http] };
    expect(instancesIn([slice, slice], 'orders', 'http')).toHaveLength(1);
  });

  it('have the name of their pod, and where it runs', () => {
    const endpoints = [{ ...pod, nodeName: 'node-1', zone: 'a' }, { addresses: ['fd00::1'] }];
    expect(instancesIn([{ metadata, endpoints, ports: [http] }], 'orders', 'http')).toEqual([
      {
        id: 'orders-1',
        name: 'orders',
        address: '10.0.0.1',
        port: 8080,
        metadata: { node: 'node-1', zone: 'a' },
        tags: [],
      },
      { id: 'orders-fd00::1', name: 'orders', address: 'fd00::1', port: 8080, metadata: {}, tags: [] },
    ]);
  });
});
