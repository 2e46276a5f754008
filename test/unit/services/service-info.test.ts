import { describe, expect, it } from 'vitest';
import {
  checkServiceInfo,
  isServiceName,
  originOf,
  readServiceInfo,
} from '../../../services/common/src/discovery/service-registry.ts';

const valid = {
  id: 'orders-1',
  name: 'orders',
  address: '10.0.0.1',
  port: 8080,
  metadata: { version: '1' },
  tags: ['a'],
};

describe('an instance of a service', () => {
  it.each([
    ['id', { id: '' }, 'id must be 1 to 253 of A-Z a-z 0-9 _ . : -'],
    ['id', { id: 'a/b' }, 'id must be 1 to 253'],
    ['name', { name: 'Orders' }, 'name must be a DNS label'],
    ['name', { name: 'a'.repeat(64) }, 'name must be a DNS label'],
    ['name', { name: 'localhost' }, 'name must be a DNS label'],
    ['address', { address: 'a b' }, 'address must be a host name or an IP address'],
    ['address', { address: '' }, 'address must be a host name'],
    ['port', { port: 0 }, 'port must be a whole number from 1 to 65535'],
    ['port', { port: 65_536 }, 'port must be a whole number'],
    ['port', { port: 80.5 }, 'port must be a whole number'],
    ['metadata', { metadata: { a: 'x'.repeat(4096) } }, 'must not be longer than 4096 bytes'],
    ['tags', { tags: Array.from({ length: 4096 }, () => 'x') }, 'must not be longer than 4096 bytes'],
  ])('is refused for its %s %j', (_, wrong, message) => {
    expect(() => checkServiceInfo({ ...valid, ...wrong })).toThrow(message);
  });

  it('is refused for all that is wrong with it at once', () => {
    expect(() => checkServiceInfo({ ...valid, id: '', port: 0 })).toThrow(
      'the instance cannot be registered: id must be 1 to 253 of A-Z a-z 0-9 _ . : -; port must be a whole number from 1 to 65535',
    );
  });

  it.each(['10.0.0.1', 'fd00::1', 'orders.shop.svc', 'node-1'])('may be at %s', (address) => {
    expect(() => checkServiceInfo({ ...valid, address })).not.toThrow();
  });

  it('is asked at its address and port', () => {
    expect(originOf(valid)).toBe('http://10.0.0.1:8080');
    expect(originOf({ ...valid, address: 'fd00::1' }, 'https:')).toBe('https://[fd00::1]:8080');
  });

  it('is read as it was written, and refused when it is none', () => {
    expect(readServiceInfo(JSON.parse(JSON.stringify(valid)))).toEqual(valid);
    const bare = { id: 'orders-1', name: 'orders', address: '10.0.0.1', port: 8080 };
    expect(readServiceInfo({ ...bare, more: 1 })).toEqual({ ...bare, metadata: {}, tags: [] });
    for (const wrong of [null, 'orders', 1, [], {}, { ...bare, port: 'x' }]) {
      expect(() => readServiceInfo(wrong)).toThrow();
    }
  });

  it.each([
    ['orders', true],
    ['orders-2', true],
    ['localhost', false],
    ['orders.shop', false],
    ['10.0.0.1', false],
    ['[fd00::1]', false],
  ])('is of a service that the host %s may name: %s', (host, may) => {
    expect(isServiceName(host)).toBe(may);
  });
});
